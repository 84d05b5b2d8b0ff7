/// A page of the manual in the macros of man(7). What is put in is plain text: every character that roff would take for
/// something else is escaped here, and nowhere else.
struct Roff {
    private(set) var lines: [String]

    /// - Parameters:
    ///   - title: in the head of the page, as it is written.
    ///   - manual: which part of the manual it belongs to.
    init(_ title: String, section: Int, manual: String, version: String) {
        lines = [
            ".\\\" Made by botcronctl(1): botcronctl man --roff.",
            // Without hyphenation and with a left margin only, so that what is copied is what was meant.
            ".TH \(Self.argument(title)) \(section) \"\" \(Self.argument("BotCron " + version))"
                + " \(Self.argument(manual))",
            ".nh", ".ad l",
        ]
    }

    var text: String { lines.joined(separator: "\n") + "\n" }

    mutating func section(_ title: String) { lines.append(".SH \(Self.argument(title))") }

    mutating func subsection(_ title: String) { lines.append(".SS \(Self.argument(title))") }

    /// Paragraphs, with an empty line between them.
    mutating func text(_ text: String) {
        for paragraph in Self.paragraphs(text) { lines += [".PP"] + paragraph.map(Self.line) }
    }

    /// The line of the section NAME, which apropos(1) reads.
    mutating func name(_ names: [String], _ summary: String) {
        section("NAME")
        lines.append(Self.escaped(names.joined(separator: ", ")) + " \\- " + Self.escaped(summary))
    }

    /// A term, and what is said of it.
    mutating func item(_ term: String, _ text: String) {
        lines += [".TP", ".B " + Self.argument(term)]
        let paragraphs = Self.paragraphs(text)
        for (index, paragraph) in paragraphs.enumerated() {
            if index > 0 { lines.append(".IP") }
            lines += paragraph.map(Self.line)
        }
    }

    /// What is said in between stands further to the right.
    mutating func indented(_ body: (inout Roff) -> Void) {
        lines.append(".RS")
        body(&self)
        lines.append(".RE")
    }

    /// Lines as they are typed.
    mutating func example(_ text: [String]) {
        lines += [".PP", ".RS 4", ".nf"] + text.map(Self.line) + [".fi", ".RE"]
    }

    // MARK: - Escaping

    /// By empty lines.
    static func paragraphs(_ text: String) -> [[String]] {
        text.split(separator: "\n", omittingEmptySubsequences: false).split(separator: "").map { $0.map(String.init) }
    }

    /// A line of text; one that begins as a request would is none.
    private static func line(_ text: String) -> String {
        let escaped = escaped(text)
        return text.hasPrefix(".") || text.hasPrefix("'") || text.hasPrefix(" ") ? "\\&" + escaped : escaped
    }

    private static func argument(_ text: String) -> String { "\"" + escaped(text) + "\"" }

    /// Without what roff makes of the quotation marks and dashes of programs; what is no ASCII is there by its number.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\e"
            case "-": result += "\\-"
            case "'": result += "\\(aq"
            case "`": result += "\\(ga"
            case "\"": result += "\\(dq"
            case "^": result += "\\(ha"
            case "~": result += "\\(ti"
            default:
                if scalar.isASCII {
                    result.unicodeScalars.append(scalar)
                } else {
                    let digits = String(scalar.value, radix: 16, uppercase: true)
                    result += "\\[u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + "]"
                }
            }
        }
        return result
    }
}
