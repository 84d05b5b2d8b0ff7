import TestSupport

/// Makes random cron expressions as text and, by the words of the contract, as sets.
struct ExpressionGenerator {
    var random: SeededGenerator
    /// Hours that are worth asking for: those of the wall clock around a transition.
    var hours: [Int] = []
    var hasSeconds = false

    private static let months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
    private static let weekdays = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]

    mutating func expression() -> OracleExpression {
        while true {
            let second = hasSeconds ? list(0, 59) : ("0", [0])
            let minute = list(0, 59)
            let hour = hourList()
            let month = chance(60) ? ("*", Set(1...12)) : list(1, 12, names: Self.months)
            let (dayText, dayMatches) = dayOfMonth()
            let (weekdayText, weekdayMatches) = dayOfWeek()
            let needsBoth = "*?".contains(dayText.first ?? "*") || "*?".contains(weekdayText.first ?? "*")
            var fields = [minute.0, hour.0, dayText, month.0, weekdayText]
            if hasSeconds { fields.insert(second.0, at: 0) }
            let expression = OracleExpression(
                text: fields.joined(separator: chance(90) ? " " : "\t "), seconds: second.1, minutes: minute.1,
                hours: hour.1, months: month.1,
                matchesDay: { year, month, day, weekday in
                    let byDay = dayMatches(year, month, day)
                    let byWeekday = weekdayMatches(year, month, day, weekday)
                    return needsBoth ? byDay && byWeekday : byDay || byWeekday
                },
                isWildcard: second.0.first == "*" || minute.0.first == "*" || hour.0.first == "*")
            let canMatch = (1999...2012).contains { year in
                expression.months.contains { month in
                    (1...OracleCalendar.length(month, year)).contains { day in
                        expression.matchesDay(year, month, day, weekday(year, month, day))
                    }
                }
            }
            if canMatch { return expression }
        }
    }

    // MARK: - Fields

    private mutating func chance(_ percent: Int) -> Bool {
        Int.random(in: 0..<100, using: &random) < percent
    }

    private mutating func number(_ low: Int, _ high: Int) -> Int {
        Int.random(in: low...high, using: &random)
    }

    private mutating func list(_ low: Int, _ high: Int, names: [String] = []) -> (String, Set<Int>) {
        if chance(25) { return ("*", Set(low...high)) }
        var texts: [String] = []
        var values: Set<Int> = []
        for _ in 0..<(chance(75) ? 1 : number(2, 4)) {
            let (text, itemValues) = item(low, high, names: names)
            texts.append(text)
            values.formUnion(itemValues)
        }
        return (texts.joined(separator: ","), values)
    }

    private mutating func hourList() -> (String, Set<Int>) {
        guard !hours.isEmpty, chance(65) else { return list(0, 23) }
        var chosen: [Int] = []
        for _ in 0..<number(1, 3) { chosen.append(hours.randomElement(using: &random) ?? 0) }
        return (chosen.map(String.init).joined(separator: ","), Set(chosen))
    }

    private mutating func item(_ low: Int, _ high: Int, names: [String]) -> (String, Set<Int>) {
        let size = high - low + 1
        func walk(_ first: Int, _ last: Int, _ step: Int) -> Set<Int> {
            var values: Set<Int> = []
            var position = 0
            let length = last >= first ? last - first : last - first + size
            while position <= length {
                values.insert(low + (first - low + position) % size)
                position += step
            }
            return values
        }
        let first = number(low, high)
        let last = number(low, high)
        let step = chance(70) ? number(1, min(size, 15)) : number(1, size)
        switch number(0, 5) {
        case 0: return ("*/\(step)", walk(low, high, step))
        case 1: return (spelled(first, low, names), [first])
        case 2: return ("\(spelled(first, low, names))-\(spelled(last, low, names))", walk(first, last, 1))
        case 3: return ("\(spelled(first, low, names))-\(spelled(last, low, names))/\(step)", walk(first, last, step))
        case 4: return ("\(spelled(first, low, names))/\(step)", walk(first, high, step))
        default: return ("0\(first)", [first])
        }
    }

    private mutating func spelled(_ value: Int, _ low: Int, _ names: [String]) -> String {
        guard !names.isEmpty, chance(40) else { return String(value) }
        return chance(50) ? names[value - low] : names[value - low].lowercased()
    }

    // MARK: - Day fields

    private typealias DayMatch = (_ year: Int, _ month: Int, _ day: Int) -> Bool
    private typealias WeekdayMatch = (_ year: Int, _ month: Int, _ day: Int, _ weekday: Int) -> Bool

    private mutating func dayOfMonth() -> (String, DayMatch) {
        if chance(50) { return (chance(85) ? "*" : "?", { _, _, _ in true }) }
        if chance(55) {
            let (text, values) = list(1, 31)
            return (text, { _, _, day in values.contains(day) })
        }
        let plain = number(1, 31)
        let (text, match): (String, DayMatch) =
            switch number(0, 3) {
            case 0: ("L", { $2 == OracleCalendar.length($1, $0) })
            case 1: ("L-\(min(plain, 30))", { $2 == OracleCalendar.length($1, $0) - min(plain, 30) })
            case 2: ("LW", { $2 == nearestWorkday($0, $1, OracleCalendar.length($1, $0)) })
            default: ("\(plain)W", { plain <= OracleCalendar.length($1, $0) && $2 == nearestWorkday($0, $1, plain) })
            }
        guard chance(30) else { return (text, match) }
        return ("\(text),\(plain)", { match($0, $1, $2) || $2 == plain })
    }

    private mutating func dayOfWeek() -> (String, WeekdayMatch) {
        if chance(55) { return (chance(85) ? "*" : "?", { _, _, _, _ in true }) }
        if chance(60) {
            let (text, values) = list(0, 6, names: Self.weekdays)
            return (text, { _, _, _, weekday in values.contains(weekday) })
        }
        let value = number(0, 6)
        let week = number(1, 5)
        let name = value == 0 && chance(50) ? "7" : spelled(value, 0, Self.weekdays)
        if chance(50) {
            return ("\(name)#\(week)", { _, _, day, weekday in weekday == value && (day - 1) / 7 + 1 == week })
        }
        return (
            "\(name)L",
            { year, month, day, weekday in weekday == value && day + 7 > OracleCalendar.length(month, year) }
        )
    }
}

/// 0 is Sunday.
func weekday(_ year: Int, _ month: Int, _ day: Int) -> Int {
    var days = 4
    for passed in 1970..<max(year, 1970) { days += OracleCalendar.isLeap(passed) ? 366 : 365 }
    for passed in 1..<month { days += OracleCalendar.length(passed, year) }
    return (days + day - 1) % 7
}

/// The Monday–Friday day nearest to a day, within its month.
private func nearestWorkday(_ year: Int, _ month: Int, _ day: Int) -> Int {
    for distance in 0...2 {
        for candidate in [day - distance, day + distance]
        where candidate >= 1 && candidate <= OracleCalendar.length(month, year) {
            if (1...5).contains(weekday(year, month, candidate)) { return candidate }
        }
    }
    return day
}
