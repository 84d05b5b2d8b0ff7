import Contract
import JSON

/// What one look of the doctor found: at what it looked, how that is, and what mends it.
struct Finding: Equatable {
    enum Verdict: String, CaseIterable, Comparable {
        case good
        /// Something to know of; it keeps nothing from being run.
        case note
        /// Some jobs, or the daemon after the next login, may not do what their owner thinks.
        case warning
        /// Something does not work.
        case bad

        static func < (a: Verdict, b: Verdict) -> Bool { a.rank < b.rank }

        private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

        var style: Style? {
            switch self {
            case .good: .good
            case .note: nil
            case .warning: .warning
            case .bad: .bad
            }
        }
    }

    var name: String
    var verdict: Verdict
    var text: String
    /// A command, or what to do.
    var fix: String?
    /// In fewer cells nobody reads a text: it is left to the terminal to break it.
    static let cellsMin = 20

    init(_ name: String, _ verdict: Verdict, _ text: String, fix: String? = nil) {
        self.name = name
        self.verdict = verdict
        self.text = text
        self.fix = fix
    }

    /// As the daemon has its own; `verdict` and `fix` beside them.
    var json: JSONValue {
        [
            "name": .string(name), "serves": .bool(verdict == .good), "text": .string(text),
            "verdict": .string(verdict.rawValue), "fix": .optional(fix),
        ]
    }
}

extension Screen {
    /// A line for each, and one below it for what mends it. Nothing is cut: what is longer than the screen goes on
    /// below itself.
    func show(_ findings: [Finding]) {
        let verdicts = Finding.Verdict.allCases.map { cellWidth($0.rawValue) }.max() ?? 0
        let names = findings.map { cellWidth(printable($0.name)) }.max() ?? 0
        let margin = verdicts + 1 + names
        let room = width.map { $0 - margin - 2 } ?? .max
        func lines(_ text: String) -> [String] {
            let text = printable(text)
            return room < Finding.cellsMin ? [text] : wrapped(text, cells: room)
        }
        for finding in findings {
            let verdict = finding.verdict.rawValue
            let gap = String(repeating: " ", count: verdicts - cellWidth(verdict) + 1)
            let indent = String(repeating: " ", count: names - cellWidth(printable(finding.name)))
            var text = lines(finding.text)
            line(
                "\(styled("\(verdict)", finding.verdict.style))\(gap)\(indent)\(styled("\(finding.name)", .faint))"
                    + "  \(text.removeFirst())")
            let mend = finding.fix.map { lines("mend: \($0)") } ?? []
            for rest in text + mend { line("\(String(repeating: " ", count: margin))  \(rest)") }
        }
    }
}
