/// Reads the sentence of a cron schedule back: which times of day and which dates it names. It knows the sentence
/// alone, not the expression nor the masks that the sentence was made from.
struct SentenceReader {
    /// Seconds of the day.
    private(set) var times: Set<Int> = []
    /// "and so on" leaves out what cannot be read back: then the sets hold what is named, and others match as well.
    private(set) var isAbridged = false
    private var days: [DayTest] = []
    private var weekdays: [DayTest] = []
    private var needsBoth = false
    private var months: Set<Int> = []
    private var rest: Substring

    private typealias DayTest = (_ year: Int, _ month: Int, _ day: Int) -> Bool

    private static let monthNames = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    private static let weekdayNames = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
    private static let weekNames = ["first", "second", "third", "fourth", "fifth"]

    struct NotUnderstood: Error, CustomStringConvertible {
        var description: String
    }

    /// - Parameter sentence: what `Timetable.explain` says of a cron schedule in UTC.
    init(_ sentence: String) throws {
        rest = sentence[...]
        try readTime()
        try expect(", ")
        if !take("every day, ") { try readDate() }
        guard rest == "UTC" else { throw unread("the zone") }
    }

    func matches(_ year: Int, _ month: Int, _ day: Int) -> Bool {
        guard months.isEmpty || months.contains(month) else { return false }
        let byDay = days.contains { $0(year, month, day) }
        let byWeekday = weekdays.contains { $0(year, month, day) }
        if days.isEmpty { return weekdays.isEmpty || byWeekday }
        if weekdays.isEmpty { return byDay }
        return needsBoth ? byDay && byWeekday : byDay || byWeekday
    }

    // MARK: - The time of day

    private mutating func readTime() throws {
        if let first = takeAfter("at ", Self.time) {
            times = [first]
            try readMore { reader in
                guard let time = reader.takeNext(Self.time) else { return false }
                reader.times.insert(time)
                return true
            }
            return
        }
        if take("every hour") { return try finish(hours: Set(0...23), minutes: [0]) }
        if let step = takeStep("hours") {
            return try finish(hours: Set(stride(from: 0, to: 24, by: step)), minutes: [0])
        }
        if let seconds = try takeRhythm("second") {
            var minutes = Set(0...59)
            if take(" of minutes ") || take(" of minute ") { minutes = try readRuns(Self.number) }
            return setTimes(hours: try readHours(), minutes: minutes, seconds: seconds)
        }
        guard let minutes = try takeRhythm("minute") else { throw unread("a time") }
        try finish(hours: take(" of every hour") ? Set(0...23) : try readHours(), minutes: minutes)
    }

    private mutating func finish(hours: Set<Int>, minutes: Set<Int>) throws {
        var seconds: Set<Int> = [0]
        if take(", at second ") {
            guard let second = takeNext(Self.number) else { throw unread("a second") }
            seconds = [second]
        }
        setTimes(hours: hours, minutes: minutes, seconds: seconds)
    }

    private mutating func setTimes(hours: Set<Int>, minutes: Set<Int>, seconds: Set<Int>) {
        for hour in hours {
            for minute in minutes { for second in seconds { times.insert(hour * 3_600 + minute * 60 + second) } }
        }
    }

    /// "every minute", "every 15 minutes", "at minute 5", "at minutes 1, 2 and 5 to 9".
    private mutating func takeRhythm(_ unit: String) throws -> Set<Int>? {
        if take("every \(unit)") { return Set(0...59) }
        if let step = takeStep(unit + "s") { return Set(stride(from: 0, to: 60, by: step)) }
        if take("at \(unit)s ") || take("at \(unit) ") { return try readRuns(Self.number) }
        return nil
    }

    private mutating func takeStep(_ units: String) -> Int? {
        let before = rest
        if take("every "), let step = takeNext(Self.number), take(" \(units)") { return step }
        rest = before
        return nil
    }

    private mutating func readHours() throws -> Set<Int> {
        if take(" in the hours ") { return try readRuns(Self.number) }
        let before = rest
        if take(" of every "), let step = takeNext(Self.ordinal), take(" hour") {
            return Set(stride(from: 0, to: 24, by: step))
        }
        rest = before
        guard var hours = takeSpan() else { return Set(0...23) }
        if take(" and"), let more = takeSpan() { hours.formUnion(more) }
        return hours
    }

    /// " from 09:00 to 17:59".
    private mutating func takeSpan() -> Set<Int>? {
        guard let first = takeAfter(" from ", Self.time), let last = takeAfter(" to ", Self.time) else { return nil }
        let (low, high) = (first / 3_600, last / 3_600)
        return low <= high ? Set(low...high) : Set(low...23).union(0...high)
    }

    // MARK: - Dates

    private mutating func readDate() throws {
        if take("on ") { try readDays() }
        if !days.isEmpty {
            if take(" where that is ") {
                needsBoth = true
                try readWeekdays()
            } else if take(" or ") {
                try readWeekdays()
            }
        } else if !rest.hasPrefix("in "), rest != "UTC" {
            try readWeekdays()
        }
        if !days.isEmpty || !weekdays.isEmpty { try expect(", ") }
        if take("in ") {
            months = try readRuns { Self.name($0, Self.monthNames, from: 1) }
            try expect(", ")
        }
    }

    private mutating func readDays() throws {
        guard try takeDay() else { throw unread("a day of the month") }
        try readMore { try $0.takeDay() }
    }

    private mutating func takeDay() throws -> Bool {
        let before = rest
        if take("the last day of the month") {
            days.append { $2 == OracleCalendar.length($1, $0) }
        } else if take("the last Monday-to-Friday day of the month") {
            days.append { year, month, day in
                let last = (1...OracleCalendar.length(month, year)).last { Self.isWorkday(year, month, $0) }
                return day == last
            }
        } else if take("the Monday-to-Friday day nearest to the ") {
            guard let nearest = takeNext(Self.ordinal) else { throw unread("the day that it is nearest to") }
            days.append { year, month, day in
                let length = OracleCalendar.length(month, year)
                // As contracts of cron have it: within the month, and a day that it lacks has no nearest one.
                guard nearest <= length, Self.isWorkday(year, month, day) else { return false }
                let others = (1...length).filter { Self.isWorkday(year, month, $0) }
                return day == others.min { (abs($0 - nearest), $0) < (abs($1 - nearest), $1) }
            }
        } else if let back = takeAfter("the ", Self.ordinal), take(" last day of the month") {
            days.append { $2 == OracleCalendar.length($1, $0) - (back - 1) }
        } else {
            rest = before
            guard take("the ") else { return false }
            let named = try readRuns(Self.ordinal)
            days.append { named.contains($2) }
        }
        return true
    }

    private mutating func readWeekdays() throws {
        guard try takeWeekday() else { throw unread("a weekday") }
        try readMore { try $0.takeWeekday() }
    }

    private mutating func takeWeekday() throws -> Bool {
        let before = rest
        if let weekday = takeAfter("the last ", Self.weekdayName), take(" of the month") {
            weekdays.append { year, month, day in
                SchedulesTests.weekday(year, month, day) == weekday && day + 7 > OracleCalendar.length(month, year)
            }
            return true
        }
        rest = before
        if let week = takeAfter("the ", { Self.name($0, Self.weekNames, from: 1) }),
            let weekday = takeAfter(" ", Self.weekdayName), take(" of the month")
        {
            weekdays.append { SchedulesTests.weekday($0, $1, $2) == weekday && ($2 - 1) / 7 + 1 == week }
            return true
        }
        rest = before
        guard Self.weekdayName(rest) != nil else { return false }
        let named = try readRuns(size: 7, Self.weekdayName)
        weekdays.append { named.contains(SchedulesTests.weekday($0, $1, $2)) }
        return true
    }

    private static func isWorkday(_ year: Int, _ month: Int, _ day: Int) -> Bool {
        (1...5).contains(SchedulesTests.weekday(year, month, day))
    }

    // MARK: - Lists

    /// "a, b to d and e", as far as it goes on with words of its kind.
    private mutating func readRuns(
        size: Int? = nil, _ word: (Substring) -> (value: Int, length: Int)?
    ) throws -> Set<Int> {
        var values: Set<Int> = []
        func takeRun(_ reader: inout SentenceReader) -> Bool {
            guard let first = reader.takeNext(word) else { return false }
            let before = reader.rest
            guard reader.take(" to "), let last = reader.takeNext(word) else {
                reader.rest = before
                values.insert(first)
                return true
            }
            var value = first
            values.insert(value)
            while value != last {
                value = size.map { (value + 1) % $0 } ?? value + 1
                values.insert(value)
            }
            return true
        }
        guard takeRun(&self) else { throw unread("a list") }
        try readMore { takeRun(&$0) }
        return values
    }

    /// What follows the first item of a list.
    private mutating func readMore(_ item: (inout SentenceReader) throws -> Bool) throws {
        while true {
            let before = rest
            if take(" and so on") {
                isAbridged = true
                return
            }
            guard take(", ") || take(" and "), try item(&self) else {
                rest = before
                return
            }
        }
    }

    // MARK: - Words

    private static func number(_ text: Substring) -> (value: Int, length: Int)? {
        let digits = text.prefix { $0.isNumber }
        // A time of day begins with digits, too.
        guard !text.dropFirst(digits.count).hasPrefix(":") else { return nil }
        return Int(digits).map { ($0, digits.count) }
    }

    private static func ordinal(_ text: Substring) -> (value: Int, length: Int)? {
        guard let number = number(text) else { return nil }
        let ending = text.dropFirst(number.length).prefix(2)
        return ["st", "nd", "rd", "th"].contains(ending) ? (number.value, number.length + 2) : nil
    }

    /// "09:00" or "23:59:30".
    private static func time(_ text: Substring) -> (value: Int, length: Int)? {
        let word = text.prefix { $0.isNumber || $0 == ":" }
        let parts = word.split(separator: ":").compactMap { Int($0) }
        guard parts.count == 2 || parts.count == 3 else { return nil }
        return (parts[0] * 3_600 + parts[1] * 60 + (parts.count == 3 ? parts[2] : 0), word.count)
    }

    private static func weekdayName(_ text: Substring) -> (value: Int, length: Int)? {
        name(text, weekdayNames, from: 0)
    }

    private static func name(_ text: Substring, _ names: [String], from: Int) -> (value: Int, length: Int)? {
        for (place, name) in names.enumerated() where text.hasPrefix(name) { return (place + from, name.count) }
        return nil
    }

    private mutating func takeNext(_ word: (Substring) -> (value: Int, length: Int)?) -> Int? {
        guard let found = word(rest) else { return nil }
        rest = rest.dropFirst(found.length)
        return found.value
    }

    private mutating func takeAfter(_ text: String, _ word: (Substring) -> (value: Int, length: Int)?) -> Int? {
        let before = rest
        if take(text), let value = takeNext(word) { return value }
        rest = before
        return nil
    }

    private mutating func take(_ text: String) -> Bool {
        guard rest.hasPrefix(text) else { return false }
        rest = rest.dropFirst(text.count)
        return true
    }

    private mutating func expect(_ text: String) throws {
        guard take(text) else { throw unread("\"\(text)\"") }
    }

    private func unread(_ expected: String) -> NotUnderstood {
        NotUnderstood(description: "expected \(expected) before \"\(rest)\"")
    }
}
