internal import DBus
internal import JSON
internal import Scheduling

/// The filter of `query_jobs`: what holds together, page by page, by name.
struct JobQuery {
    /// The state of a job in the words of `get_job`.
    enum Status: String, CaseIterable { case pending, running, completed, failed, cancelled }

    static let keys = ["names", "pattern", "tag", "owner", "status", "failed", "limit", "cursor"]

    /// Sorted, each once; nil for all.
    var names: [String]?
    var pattern: NamePattern?
    var tag: String?
    var owner: String?
    var status: Status?
    /// Whether its last run failed, or it was refused; nil for either.
    var failed: Bool?
    var limit = Bounds.pageJobsUsual
    var place: JobWalk.Place?

    init() {}

    /// - Throws: `InvalidArgs` for a key that there is not, and for a value that is none of its key.
    init(_ filter: JSONObject) throws(ErrorReply) {
        for (key, value) in filter where !value.isNull {
            switch key {
            case "names":
                guard let items = value.arrayValue else {
                    throw .invalidArgument(key, found: value.kind.rawValue, expected: "an array of names")
                }
                guard items.count <= Bounds.queriedNames else {
                    throw ErrorReply(
                        .limitsExceeded,
                        "argument names: found \(items.count) names, expected at most \(Bounds.queriedNames); ask for "
                            + "some at a time, or for a pattern")
                }
                var names: Set<String> = []
                for item in items { names.insert(try item.string(key)) }
                self.names = names.sorted()
            case "pattern":
                let text = try value.string(key)
                guard text.utf8.count <= Bounds.patternBytes else {
                    throw .tooLong(key, text.utf8.count, Bounds.patternBytes)
                }
                pattern = NamePattern(text)
            case "tag": tag = try value.string(key)
            case "owner": owner = try value.string(key)
            case "status": status = try value.word(key)
            case "failed": failed = try value.flag(key)
            case "limit":
                let asked = try value.whole(key)
                limit = asked <= 0 ? Bounds.pageJobsUsual : min(asked, Bounds.pageJobs)
            case "cursor":
                guard let place = JobWalk.Place(cursor: try value.string(key)) else {
                    throw .invalidArgument(
                        key, found: value.compactText, expected: "a next_cursor of an earlier answer")
                }
                self.place = place
            default:
                throw .invalidArgument(
                    "filter", found: "the key \"\(key)\"", expected: Self.keys.joined(separator: ", "))
            }
        }
    }

    func matches(_ view: Scheduler.JobView) -> Bool {
        pattern?.matches(view.job.name) ?? true && tag.map { view.job.tags.contains($0) } ?? true
            && owner.map { $0 == view.job.owner } ?? true && status.map { $0 == JobShape.status(view) } ?? true
            && failed.map { $0 == (view.state.lastStatus?.isFailure ?? false) } ?? true
    }

    func matches(_ refused: RefusedJob) -> Bool {
        guard pattern?.matches(refused.name) ?? true, status.map({ $0 == .failed }) ?? true, failed ?? true else {
            return false
        }
        guard tag != nil || owner != nil else { return true }
        let definition = JobShape.parsed(refused.definition)
        let tags = definition["tags"]?.arrayValue?.compactMap(\.stringValue) ?? []
        return tag.map { tags.contains($0) } ?? true && owner.map { definition["owner"]?.stringValue == $0 } ?? true
    }
}

/// A pattern for names as shells have it, glob(7): `*` for any text, `?` for one character, `[a-z]` and `[!a-z]` for
/// one of a set, `\` before what is meant as it is. A set that does not end is meant as it is, too.
///
/// Takes at most as many steps as pattern and name have bytes, multiplied.
struct NamePattern: Equatable {
    private enum Part: Equatable {
        case one(Unicode.Scalar)
        case any
        case many
        case set([ClosedRange<Unicode.Scalar>], isInverted: Bool)
    }

    private let parts: [Part]

    init(_ text: String) {
        var parts: [Part] = []
        var rest = Array(text.unicodeScalars)[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case "*": if parts.last != .many { parts.append(.many) }
            case "?": parts.append(.any)
            case "\\": parts.append(.one(rest.popFirst() ?? "\\"))
            case "[":
                if let set = Self.set(&rest) { parts.append(set) } else { parts.append(.one("[")) }
            default: parts.append(.one(scalar))
            }
        }
        self.parts = parts
    }

    /// What follows a `[`; takes it away where it is a set.
    private static func set(_ text: inout ArraySlice<Unicode.Scalar>) -> Part? {
        var rest = text
        var ranges: [ClosedRange<Unicode.Scalar>] = []
        let isInverted = rest.first == "!" || rest.first == "^"
        if isInverted { rest.removeFirst() }
        var isFirst = true
        while let scalar = rest.popFirst() {
            if scalar == "]", !isFirst {
                text = rest
                return .set(ranges, isInverted: isInverted)
            }
            isFirst = false
            var last = scalar
            if rest.first == "-", let end = rest.dropFirst().first, end != "]" {
                last = end
                rest = rest.dropFirst(2)
            }
            if scalar <= last { ranges.append(scalar...last) }
        }
        return nil
    }

    func matches(_ name: String) -> Bool {
        let text = Array(name.unicodeScalars)
        var (place, part) = (0, 0)
        /// Where the last `*` stands, and up to where it reaches so far.
        var star: (part: Int, place: Int)?
        while place < text.count {
            if part < parts.count, parts[part] == .many {
                star = (part, place)
                part += 1
            } else if part < parts.count, Self.matches(parts[part], text[place]) {
                part += 1
                place += 1
            } else if let last = star {
                star = (last.part, last.place + 1)
                (part, place) = (last.part + 1, last.place + 1)
            } else {
                return false
            }
        }
        return parts[part...].allSatisfy { $0 == .many }
    }

    private static func matches(_ part: Part, _ scalar: Unicode.Scalar) -> Bool {
        switch part {
        case .one(let wanted): wanted == scalar
        case .any, .many: true
        case .set(let ranges, let isInverted): ranges.contains { $0.contains(scalar) } != isInverted
        }
    }
}
