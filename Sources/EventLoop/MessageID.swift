/// The number by which the journal knows lines of one kind (`MESSAGE_ID`), and its catalog what they mean.
///
/// It is made of the fixed words of the line, so that there is no table of numbers beside the words: 128 bits of FNV-1a
/// (isthe.com/chongo/tech/comp/fnv). A line that is worded anew is another kind, and needs its entry in the catalog.
enum MessageID {
    private static let basis: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d
    private static let prime: UInt128 = 0x0000_0000_0100_0000_0000_0000_0000_013b

    /// 32 lower-case hex digits.
    static func text(of message: String) -> String {
        let number = message.utf8.reduce(basis) { ($0 ^ UInt128($1)) &* prime }
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 32 - digits.utf8.count) + digits
    }
}
