/// Trouble with a file as a whole: it cannot be read, is no JSON, or its section `schedules` cannot be understood.
///
/// One bad job is not such trouble: it is a `RefusedJob` beside the jobs that run.
public struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was attempted: `read`, `parse`, `write`, …
    public var operation: String
    /// The file, or the key inside it.
    public var object: String
    /// What was found, and what would be right.
    public var reason: String
    /// Counted from 1; nil where the trouble is not at one place of the text.
    public var line: Int?
    /// Counted from 1, in Unicode scalars.
    public var column: Int?
    /// The error number of the system where it was the one that refused, else 0.
    public var errnoCode: Int32 = 0

    public init(operation: String, object: String, reason: String, line: Int? = nil, column: Int? = nil) {
        self.operation = operation
        self.object = object
        self.reason = reason
        self.line = line
        self.column = column
    }

    /// `cannot OPERATION OBJECT (line L, column C): REASON`
    public var description: String {
        "cannot \(operation) \(object)\(placeSuffix(line: line, column: column)): \(reason)"
    }
}

/// Why one definition is refused. The text names the key, what was found and what would be right.
public struct JobError: Error, Equatable, Sendable, CustomStringConvertible {
    /// For the named errors of the bus.
    public enum Kind: Sendable, Equatable {
        /// The definition as such: an unknown key, a wrong type, two kinds of action.
        case job
        /// A schedule, zone or window that cannot be understood: `message` is then
        /// `CODE FIELD "VALUE" at POSITION: sentence`, to the letter.
        case schedule
    }

    public var kind: Kind
    /// The job's name as it is written, valid or not; nil where there is none.
    public var job: String?
    /// The key at fault, dotted: `retry.max_attempts`, `schedules[1].cron`; empty for the definition as a whole.
    public var key: String
    public var message: String
    /// Counted from 1, in the file that the definition stands in; nil where it stands in none.
    public var line: Int?
    /// Counted from 1, in Unicode scalars.
    public var column: Int?
    /// The refused expression and a line with carets under what is wrong with it; nil where that is not at hand.
    public var excerpt: String?

    public init(kind: Kind, job: String?, key: String, message: String, line: Int? = nil, column: Int? = nil) {
        self.kind = kind
        self.job = job
        self.key = key
        self.message = message
        self.line = line
        self.column = column
    }

    /// The message, with the place of the key after it: `… (cron, line 12, column 15)`.
    public var description: String {
        switch kind {
        case .job: message + placeSuffix(line: line, column: column)
        case .schedule: message + placeSuffix(key, line: line, column: column)
        }
    }
}

/// ` (KEY, line L, column C)` with what there is of it, or nothing.
private func placeSuffix(_ key: String = "", line: Int?, column: Int?) -> String {
    var parts: [String] = key.isEmpty ? [] : [key]
    if let line { parts.append("line \(line)") }
    if let column { parts.append("column \(column)") }
    return parts.isEmpty ? "" : " (\(parts.joined(separator: ", ")))"
}
