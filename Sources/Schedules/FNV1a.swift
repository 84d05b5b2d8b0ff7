/// FNV-1a, 64 bits (draft-eastlake-fnv, section 2): the same on every machine and in every release. No defence against
/// who looks for collisions.
public struct FNV1a {
    public private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    public init(_ text: String) { add(text) }

    /// The UTF-8 of a text, as if it stood right behind what was there.
    public mutating func add(_ text: String) {
        for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }
}
