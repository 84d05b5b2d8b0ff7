/// The end of an output, as lines that a terminal may be given: what is beyond a bound goes, oldest first, and that is
/// counted.
struct LogText {
    /// What is kept in memory of an output that may have any length.
    static let bytesMax = 4 << 20
    static let linesMax = 50_000
    /// A longer line is shown as several.
    static let lineBytesMax = 4_096

    private let bytesMax: Int
    private let linesMax: Int
    private(set) var lines: [String] = []
    /// How many of the first lines were let go; what is kept is numbered from here.
    private(set) var droppedLines = 0
    private var keptBytes = 0
    private var cleaner = TerminalCleaner()
    /// The line that has not ended.
    private var begun: [UInt8] = []
    /// Whether the last line in `lines` is that one.
    private var showsBegun = false

    init(bytesMax: Int = Self.bytesMax, linesMax: Int = Self.linesMax) {
        self.bytesMax = bytesMax
        self.linesMax = linesMax
    }

    var isEmpty: Bool { lines.isEmpty }

    /// Adds bytes of an output, which may end anywhere.
    mutating func add(_ bytes: [UInt8]) { add(cleaned: cleaner.clean(bytes)) }

    /// Adds a line of our own: that bytes are missing, or that another attempt begins.
    mutating func note(_ text: String) {
        add(cleaned: cleaner.finish())
        endLine()
        push(text)
        bound()
    }

    private mutating func add(cleaned bytes: [UInt8]) {
        takeBackBegun()
        for byte in bytes {
            // Not within a character.
            if begun.count >= Self.lineBytesMax, byte & 0xC0 != 0x80, byte != UInt8(ascii: "\n") {
                push(String(decoding: begun, as: UTF8.self))
                begun = []
            }
            if byte == UInt8(ascii: "\n") {
                push(String(decoding: begun, as: UTF8.self))
                begun = []
                continue
            }
            if byte == UInt8(ascii: "\t") {
                let width = cellWidth(String(decoding: begun, as: UTF8.self))
                begun += Array(repeating: UInt8(ascii: " "), count: 8 - width % 8)
            } else {
                begun.append(byte)
            }
        }
        showBegun()
        bound()
    }

    private mutating func endLine() {
        showsBegun = false
        begun = []
    }

    private mutating func takeBackBegun() {
        guard showsBegun else { return }
        keptBytes -= lines.removeLast().utf8.count
        showsBegun = false
    }

    private mutating func showBegun() {
        guard !begun.isEmpty else { return }
        push(String(decoding: begun, as: UTF8.self))
        showsBegun = true
    }

    private mutating func push(_ line: String) {
        keptBytes += line.utf8.count
        lines.append(line)
    }

    /// A tenth more goes than has to, so that not each line moves all others.
    private mutating func bound() {
        guard lines.count > linesMax || keptBytes > bytesMax else { return }
        var (count, bytes) = (0, keptBytes)
        while count < lines.count - 1,
            lines.count - count > linesMax / 10 * 9 || bytes > bytesMax / 10 * 9
        {
            bytes -= lines[count].utf8.count
            count += 1
        }
        lines.removeFirst(count)
        keptBytes = bytes
        droppedLines += count
    }
}
