/// Names within the state folder: `control-interface`, "Files".
enum StatePaths {
    static let storeName = "botcron.db"

    /// The file of an attempt's output. An execution id may hold any text but `/`; a file name has a bound.
    static func output(of executionID: String, attempt: Int, in folder: String) -> String {
        "\(folder)/runs/\(fileName(executionID)).\(attempt).out"
    }

    private static let nameBytesMax = 200

    /// The id itself, or, where it is too long for a file name, its beginning and a hash (FNV-1a 64) of the whole.
    private static func fileName(_ id: String) -> String {
        guard id.utf8.count > nameBytesMax else { return id }
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in id.utf8 {
            hash ^= UInt64(byte)
            hash = hash &* 0x100_0000_01b3
        }
        return String(decoding: id.utf8.prefix(nameBytesMax), as: UTF8.self) + "~" + String(hash, radix: 16)
    }
}
