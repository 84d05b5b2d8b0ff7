/// A hash that is the same in every process and every version, for what is kept; Swift's own is not.
///
/// FNV-1a, 64 bits (draft-eastlake-fnv, section 2). No defence against who looks for collisions.
public struct StableHash: Sendable {
    public private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    public init() {}

    public mutating func add(_ bytes: some Sequence<UInt8>) {
        var hash = value
        for byte in bytes {
            hash ^= UInt64(byte)
            hash = hash &* 0x100_0000_01b3
        }
        value = hash
    }

    /// Of the UTF-8.
    public static func fnv1a(_ text: String) -> UInt64 {
        var hash = StableHash()
        hash.add(text.utf8)
        return hash.value
    }
}
