import JSON
import Schedules

/// Why one value of a definition is refused: thrown by everything that reads one, and given its place by the reader.
struct FieldError: Error, Equatable {
    /// From the definition (or the section) to the value.
    var path: [JSONPathStep]
    /// Whether the place is the key, not its value.
    var isAboutKey = false
    var kind = JobError.Kind.job
    /// What was found and what would be right; without the key for the kind `schedule`, which is worded to the letter.
    var message: String
    /// The refusal of an expression as it came, for the place in its text.
    var schedule: ScheduleError?

    /// A refused expression, in its own words.
    init(_ error: ScheduleError, at path: [JSONPathStep]) {
        self.path = path
        kind = .schedule
        message = error.description
        schedule = error
    }

    init(path: [JSONPathStep], isAboutKey: Bool = false, _ message: String) {
        self.path = path
        self.isAboutKey = isAboutKey
        self.message = path.isEmpty ? message : "\(path.pathText): \(message)"
    }
}

/// One value with the way to it: reads itself as a Swift value, or says what it is and what it should be.
struct Field {
    let path: [JSONPathStep]
    let value: JSONValue

    /// The key as it was written.
    var key: String {
        guard case .key(let key) = path.last else { return path.pathText }
        return key
    }

    // MARK: - Refusing

    func refusal(expected: String) -> FieldError {
        FieldError(path: path, "found \(Self.describe(value)); expected \(expected)")
    }

    func refusal(_ message: String) -> FieldError { FieldError(path: path, message) }

    /// At most so much of a value is shown in an error.
    static let shownLengthMax = 60

    static func describe(_ value: JSONValue) -> String {
        switch value {
        case .null, .bool: value.compactText
        case .number: "the number \(shortened(value.compactText))"
        case .string: "the string \(shortened(value.compactText))"
        case .array(let elements): elements.isEmpty ? "an empty array" : "an array"
        case .object(let members): members.isEmpty ? "an empty object" : "an object"
        }
    }

    static func shortened(_ text: String) -> String {
        text.count <= shownLengthMax ? text : text.prefix(shownLengthMax) + "…"
    }

    // MARK: - Scalars

    func bool() throws(FieldError) -> Bool {
        guard let bool = value.boolValue else { throw refusal(expected: "true or false") }
        return bool
    }

    func integer(_ range: ClosedRange<Int>) throws(FieldError) -> Int {
        guard let integer = value.intValue, range.contains(integer) else {
            throw refusal(expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return integer
    }

    func number(_ range: ClosedRange<Double>) throws(FieldError) -> Double {
        guard let number = value.doubleValue, range.contains(number) else {
            throw refusal(expected: "a number from \(Self.plain(range.lowerBound)) to \(Self.plain(range.upperBound))")
        }
        return number
    }

    /// Text that can be handed to the system: no NUL, which would end it there.
    func string(expected: String = "a string") throws(FieldError) -> String {
        guard let string = value.stringValue else { throw refusal(expected: expected) }
        guard !string.utf8.contains(0) else {
            throw refusal("found a NUL character; no argument, path or name of the system can hold one")
        }
        return string
    }

    func nonEmptyString(expected: String = "a string") throws(FieldError) -> String {
        let string = try string(expected: expected)
        guard !string.isEmpty else { throw refusal(expected: "\(expected) that is not empty") }
        return string
    }

    /// One of the words of an enumeration, or one of its older spellings.
    func word<Word: RawRepresentable & CaseIterable>(
        _ type: Word.Type, older: [String: Word] = [:]
    ) throws(FieldError) -> Word where Word.RawValue == String {
        let words = Word.allCases.map { $0.rawValue }
        let expected = "one of \(words.joined(separator: ", "))"
        guard let text = value.stringValue else { throw refusal(expected: expected) }
        if let word = Word(rawValue: text) ?? older[text] { return word }
        throw refusal(expected: expected)
    }

    /// A number of seconds (0 too), or text of an interval, whose day has 24 hours.
    func duration(atLeast least: Duration = .zero) throws(FieldError) -> Duration {
        let expected = "a duration: a number of seconds, or text such as \"90s\", \"30m\" or \"1h30m\""
        let duration: Duration
        switch value {
        case .number:
            guard let seconds = value.doubleValue, seconds >= 0, seconds <= Bounds.durationSecondsMax else {
                throw refusal(expected: expected + ", up to 100 years")
            }
            duration = .milliseconds(Int64((seconds * 1000).rounded()))
        case .string(let text):
            do {
                duration = try Schedule.parseDuration(text)
            } catch {
                throw refusal(error.description)
            }
        default:
            throw refusal(expected: expected)
        }
        guard duration >= least else { throw refusal(expected: "a duration of at least \(least)") }
        return duration
    }

    /// Absolute, or below the home folder: what a relative one is relative to would differ from start to start.
    func path(home: String) throws(FieldError) -> String {
        let expanded = expandHome(try nonEmptyString(expected: "a path"), home: home)
        guard expanded.hasPrefix("/") else { throw refusal(expected: "an absolute path, or one that begins with ~/") }
        return expanded
    }

    // MARK: - Compounds

    func elements(of expected: String) throws(FieldError) -> [Field] {
        guard let array = value.arrayValue else { throw refusal(expected: "an array of \(expected)") }
        return array.enumerated().map { Field(path: path + [.index($0.offset)], value: $0.element) }
    }

    func strings(of expected: String = "strings") throws(FieldError) -> [String] {
        var strings: [String] = []
        for element in try elements(of: expected) { strings.append(try element.string()) }
        return strings
    }

    /// The members as they are, for objects whose keys are free.
    func members(_ expected: String = "an object") throws(FieldError) -> [Field] {
        guard let object = value.objectValue else { throw refusal(expected: expected) }
        return object.map { Field(path: path + [.key($0.key)], value: $0.value) }
    }

    /// An argv: at least the program, which is not empty.
    func argv() throws(FieldError) -> [String] {
        let argv = try strings(of: "strings: a program and its arguments")
        guard let program = argv.first, !program.isEmpty else {
            throw refusal(expected: "a program and its arguments")
        }
        return argv
    }

    private static func plain(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? String(Int(number)) : String(number)
    }
}

/// The bounds of what a definition may hold. A value beyond one is refused, with the bound in the error.
enum Bounds {
    static let nameLengthMax = 128
    /// 100 years of 365.25 days: the longest interval, too.
    static let durationSecondsMax = 3_155_760_000.0
    /// For counts without a natural limit of their own.
    static let countMax = 1_000_000_000
    static let outputLimitMax = 1 << 30
    static let schedulesMax = 100
    /// Each is asked at each fire time.
    static let repeatingExclusionsMax = 50
    static let multiplierMax = 1000.0
    static let daysMax = 36_525
    /// A minute.
    static let cleanupHoursMin = 1.0 / 60
    /// A year.
    static let cleanupHoursMax = 8760.0
}
