import Testing

/// What the file `Exceptions` permits, one line each: `check | where | what | reason`.
///
/// `where` is a path, or a folder with a slash at its end for all below it; `what` is the thing that was found there,
/// or `*`. A line that nothing needs any longer is an error, so the list only shrinks.
struct Exception: Sendable {
    let check: String
    let place: String
    let what: String
    let reason: String
    let line: Int

    static let path = "Tests/TidyTests/Exceptions"

    static let all: [Exception] = Repository.lines(path).enumerated().compactMap { index, line in
        guard !line.isEmpty, !line.hasPrefix("#") else { return nil }
        let fields = line.split(separator: "|", maxSplits: 3, omittingEmptySubsequences: false).map(\.trimmed)
        let field = { fields.indices.contains($0) ? fields[$0] : "" }
        return Exception(check: field(0), place: field(1), what: field(2), reason: field(3), line: index + 1)
    }

    func permits(_ finding: Finding) -> Bool {
        guard check == finding.check.rawValue, what == "*" || what == finding.what else { return false }
        return place == finding.place || place.hasSuffix("/") && finding.place.hasPrefix(place)
    }
}

/// What is looked for; the first column of `Exceptions`.
enum Check: String, CaseIterable {
    case arrow, module, room, word, size, unexplained, sleep, print, condition, disabled
    case errorName = "error-name"
    case makeTarget = "make-target"
    case file, hash, generator, bus, spawn, failure, width, target
}

struct Finding {
    let check: Check
    let place: String
    let what: String
    var line: Int?

    var description: String { "\(place)\(line.map { ":\($0)" } ?? ""): \(what)" }
}

/// Records an issue for each finding that has no exception, and for each exception that has no finding.
func expectNone(_ check: Check, _ findings: [Finding], _ rule: String) {
    let exceptions = Exception.all.filter { $0.check == check.rawValue }
    for finding in findings where !exceptions.contains(where: { $0.permits(finding) }) {
        Issue.record("\(finding.description) (\(check.rawValue)): \(rule)")
    }
    for exception in exceptions where !findings.contains(where: { exception.permits($0) }) {
        Issue.record(
            "\(Exception.path):\(exception.line): not needed any longer, so it goes: \(exception.place) \(exception.what)"
        )
    }
}
