/// Why a schedule was refused: what, where in the text, and what would be right.
///
/// `field` and `value` are as written in the contract of schedules: for cron `second`, `minute`, `hour`,
/// `day_of_month`, `month`, `day_of_week`, `expression`; for a calendar event `weekday`, `date`, `year`, `month`,
/// `day`, `time`, `hour`, `minute`, `second`, `timezone`, `expression`; for `once` `datetime` and its parts; for an
/// interval `interval`.
public struct ScheduleError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable, CaseIterable {
        case empty
        case fieldCount = "field_count"
        case unknownMacro = "unknown_macro"
        case unsupported
        case syntax
        case outOfRange = "out_of_range"
        case unknownName = "unknown_name"
        case badStep = "bad_step"
        case neverFires = "never_fires"
        case missingUnit = "missing_unit"
        case badUnit = "bad_unit"
        case ambiguousUnit = "ambiguous_unit"
        case unitOrder = "unit_order"
        case tooSmall = "too_small"
        case tooLarge = "too_large"
        case inPast = "in_past"
        case badTimezone = "bad_timezone"
        case emptyWindow = "empty_window"
    }

    public var code: Code
    public var field: String
    /// The offending text as written; empty where something is missing.
    public var value: String
    /// Where `value` begins: 0-based, in Unicode scalars of the string as given.
    public var position: Int
    /// What would be right, in English, without a full stop.
    public var sentence: String

    public init(code: Code, field: String, value: String, position: Int, sentence: String) {
        self.code = code
        self.field = field
        self.value = value
        self.position = position
        self.sentence = sentence
    }

    /// `CODE FIELD "VALUE" at POSITION: sentence`
    public var description: String {
        "\(code.rawValue) \(field) \"\(value)\" at \(position): \(sentence)"
    }
}
