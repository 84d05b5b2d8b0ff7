/// A hash that is the same in every process and every version, for names that are kept; Swift's own is not.
public enum StableHash {
    /// FNV-1a of the UTF-8, 64 bits (draft-eastlake-fnv, section 2). No defence against who looks for collisions.
    public static func fnv1a(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 {
            hash ^= UInt64(byte)
            hash = hash &* 0x100_0000_01b3
        }
        return hash
    }
}
