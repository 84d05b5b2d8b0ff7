import Contract
import Glibc
import JSON

/// Where things are printed: results to stdout, complaints to stderr, each line as soon as it is there.
struct Screen: Sendable {
    let isJSON: Bool
    /// The width of the terminal on stdout; nil where it is no terminal, and then nothing is cut or coloured.
    let width: Int?
    /// Whether stdout is a terminal: foreign bytes are cleaned there, and nowhere else.
    var isTerminal: Bool { width != nil }
    /// Whether what is printed to stdout may have colours.
    let isColorful: Bool
    private let hasErrorColor: Bool
    /// The width of the terminal on stderr; nil where it is no terminal.
    private let errorWidth: Int?

    init(options: GlobalOptions) {
        isJSON = options.isJSON
        let isTerminal = isatty(STDOUT_FILENO) == 1
        width = isTerminal ? Self.width(of: STDOUT_FILENO) : nil
        let isErrorTerminal = isatty(STDERR_FILENO) == 1
        errorWidth = isErrorTerminal ? Self.width(of: STDERR_FILENO) : nil
        let refuses = options.refusesColor || Self.isSet("NO_COLOR") || variable("TERM") == "dumb"
        isColorful = isTerminal && !refuses
        hasErrorColor = isErrorTerminal && !refuses
    }

    // MARK: - Printing

    func line(_ line: Line) { Self.write(line.text + "\n", to: STDOUT_FILENO) }

    /// As above, on a terminal broken at its blanks, with the lines after the first one indented.
    func sentence(_ line: Line) {
        self.line(Line(own: Self.broken(line.text, width)))
    }

    private static func broken(_ text: String, _ width: Int?) -> String {
        guard let width else { return text }
        return wrapped(text, cells: width, hanging: 2, keepsWords: true).joined(separator: "\n  ")
    }

    /// As they are, whatever they are.
    func bytes(_ bytes: [UInt8]) { Self.write(bytes, to: STDOUT_FILENO) }

    func json(_ value: JSONValue) { json(text: value.prettyText(indent: 2)) }

    /// One line for one object, where there are many.
    func compactJSON(_ value: JSONValue) { json(text: value.compactText) }

    /// On a terminal with more escapes than JSON asks for, elsewhere byte for byte as the bus has it.
    private func json(text: String) { line(Line(own: isTerminal ? printableJSON(text) : text)) }

    func warn(_ line: Line) {
        Self.write(Self.broken("botcronctl: \(line.text)", errorWidth) + "\n", to: STDERR_FILENO)
    }

    /// A question, beside which the answer is typed.
    func prompt(_ line: Line) { Self.write(line.text, to: STDERR_FILENO) }

    func complain(_ failure: Failure) {
        let head = hasErrorColor ? Style.bad.apply("botcronctl:") : "botcronctl:"
        var text = Self.broken(head + " \(printable(failure.message))", errorWidth) + "\n"
        for line in (failure.refusal?.lines ?? []) + failure.advice { text += "  \(printable(line))\n" }
        Self.write(text, to: STDERR_FILENO)
    }

    func styled(_ line: Line, _ style: Style?) -> Line {
        guard isColorful, let style else { return line }
        return Line(own: style.apply(line.text))
    }

    // MARK: - Facts about the terminal

    private static func width(of terminal: Int32) -> Int {
        var size = winsize()
        guard ioctl(terminal, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// no-color.org: any text but the empty one.
    private static func isSet(_ name: String) -> Bool { !(variable(name) ?? "").isEmpty }

    private static func write(_ text: String, to descriptor: Int32) { write(Array(text.utf8), to: descriptor) }

    /// Ends the program where nobody reads any more, as SIGPIPE would have done: libdbus switches that off.
    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { exit(errno == EPIPE ? ExitCode.signalBase + SIGPIPE : ExitCode.failure) }
            rest = rest.dropFirst(count)
        }
    }
}

/// Never the only carrier of a meaning: what is coloured also says it in words.
enum Style: String, Sendable {
    case heading = "1"
    case good = "32"
    case bad = "31"
    case warning = "33"
    case faint = "2"

    func apply(_ text: String) -> String { "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" }

    /// The colour of a run's status.
    static func ofStatus(_ status: String) -> Style? {
        switch status {
        case "success": .good
        case "failed", "timeout", "interrupted": .bad
        case "cancelled", "skipped", "missed", "retrying": .warning
        default: nil
        }
    }
}
