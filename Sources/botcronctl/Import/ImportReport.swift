import JSON

/// What became of every line of an import, for people and for programs.
struct ImportReport {
    /// What was done with a job.
    enum Outcome: Equatable {
        case wouldBeAdded
        case added
        case alreadyThere
        /// A job of that name is there, with other content.
        case changed
        case replaced
        case refused(reason: String)

        var word: String {
            switch self {
            case .wouldBeAdded: "would_be_added"
            case .added: "added"
            case .alreadyThere: "already_there"
            case .changed: "changed"
            case .replaced: "replaced"
            case .refused: "refused"
            }
        }
    }

    struct Row {
        var entry: ImportEntry
        /// Of a job alone.
        var name: String?
        var outcome: Outcome?
    }

    var format: ImportFormat
    /// The file, or what stands for it.
    var origin: String
    var rows: [Row]
    var remarks: [String]

    /// Whether everything that asks for a job has one.
    var isComplete: Bool {
        rows.allSatisfy { row in
            switch row.outcome {
            case .changed, .refused: return false
            default: break
            }
            if case .notTaken = row.entry.fate { return false }
            return true
        }
    }

    // MARK: - For people

    /// - Parameter width: in cells; nothing is wrapped where it is nil.
    func lines(width: Int?) -> [Line] {
        var lines: [Line] = []
        for row in rows { lines += Self.lines(of: row, width) }
        lines += Self.wrapped(summary, indent: "  ", width, isHanging: true)
        for remark in remarks { lines += Self.wrapped(remark, indent: "  ", width) }
        return lines
    }

    private static let indent = "    "

    private static func lines(of row: Row, _ width: Int?) -> [Line] {
        let entry = row.entry
        switch entry.fate {
        case .noted(let note):
            return wrapped("\(entry.place): \(note)", indent: indent, width, isHanging: true)
        case .notTaken(let reason):
            return wrapped("\(entry.place): not taken: \(reason)", indent: indent, width, isHanging: true)
                + quoted(entry, width)
        case .taken(let job):
            let name = row.name ?? job.name
            var lines = wrapped(
                "\(entry.place): \(name) \(words(row.outcome, name))", indent: indent, width, isHanging: true)
            lines += quoted(entry, width)
            for difference in job.differences { lines += wrapped("differs: \(difference)", indent: indent, width) }
            return lines
        }
    }

    private static func words(_ outcome: Outcome?, _ name: String) -> String {
        switch outcome {
        case .wouldBeAdded, nil: "would be added"
        case .added: "is added"
        case .alreadyThere: "is there already, the same"
        case .changed: "is there with other content, and stays as it is; --replace puts this in its place"
        case .replaced: "is replaced"
        case .refused(let reason): "is refused: \(reason)"
        }
    }

    /// The first line of what stands there, shortened: it is to be found again, not read.
    private static func quoted(_ entry: ImportEntry, _ width: Int?) -> [Line] {
        let text = String(entry.text.split(separator: "\n").first ?? "")
        guard !text.allSatisfy(\.isWhitespace) else { return [] }
        let room = width.map { max(20, $0 - indent.count) } ?? .max
        let shown = cellWidth(text) > room ? prefix(of: text, cells: room - 1) + "…" : text
        return ["\(indent)\(shown)"]
    }

    private var summary: String {
        let jobs = rows.compactMap { row in row.entry.job.map { (row, $0) } }
        let different = jobs.count { !$0.1.differences.isEmpty }
        let left = rows.count { if case .notTaken = $0.entry.fate { true } else { false } }
        var parts = ["\(jobs.count) \(jobs.count == 1 ? "job" : "jobs") taken"]
        if different > 0 { parts.append("\(different) with a difference") }
        parts.append("\(left) not taken")
        let states: [(Outcome, String)] = [(.alreadyThere, "there already"), (.changed, "changed")]
        for (outcome, words) in states {
            let count = rows.count { $0.outcome == outcome }
            if count > 0 { parts.append("\(count) \(words)") }
        }
        return "\(origin): " + parts.joined(separator: ", ")
    }

    /// Words on as many lines as they need.
    private static func wrapped(_ text: String, indent: String, _ width: Int?, isHanging: Bool = false) -> [Line] {
        let room = width.map { max(20, $0) } ?? .max
        var lines: [Line] = []
        var current = isHanging ? "" : indent
        var isEmpty = true
        for word in printable(text).split(separator: " ") {
            if !isEmpty, cellWidth(current) + 1 + cellWidth(String(word)) > room {
                lines.append("\(current)")
                (current, isEmpty) = (indent, true)
            }
            current += (isEmpty ? "" : " ") + word
            isEmpty = false
        }
        return isEmpty ? lines : lines + ["\(current)"]
    }

    // MARK: - For programs

    var json: JSONValue {
        [
            "format": .string(format.rawValue), "file": .string(origin), "complete": .bool(isComplete),
            "lines": .array(rows.map { Self.json(of: $0) }), "remarks": .array(remarks.map { .string($0) }),
        ]
    }

    private static func json(of row: Row) -> JSONValue {
        let entry = row.entry
        var object: JSONObject = ["place": .string(entry.place), "text": .string(entry.text)]
        switch entry.fate {
        case .noted(let note):
            object["outcome"] = "noted"
            object["note"] = .string(note)
        case .notTaken(let reason):
            object["outcome"] = "not_taken"
            object["reason"] = .string(reason)
        case .taken(let job):
            let name = row.name ?? job.name
            object["outcome"] = .string(job.differences.isEmpty ? "taken" : "taken_with_difference")
            object["differences"] = .array(job.differences.map { .string($0) })
            object["job"] = .string(name)
            object["result"] = .optional(row.outcome?.word)
            if case .refused(let reason) = row.outcome { object["reason"] = .string(reason) }
            object["definition"] = .object(job.definition.named(name))
        }
        return .object(object)
    }
}
