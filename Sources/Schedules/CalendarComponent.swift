/// One component of a calendar event: `*` or a list of `a`, `a..b`, `a/n`, `a..b/n`.
enum CalendarComponent {
    case year, month, day, dayFromEnd, hour, minute, second

    /// The most items that systemd reads in a list; more are refused.
    static let itemLimit = 241

    /// As it is called in errors.
    var name: String {
        switch self {
        case .year: "year"
        case .month: "month"
        case .day, .dayFromEnd: "day"
        case .hour: "hour"
        case .minute: "minute"
        case .second: "second"
        }
    }

    var bounds: ClosedRange<Int> {
        switch self {
        case .year: WallClock.firstYear...WallClock.lastYear
        case .month: 1...12
        case .day: 1...31
        case .dayFromEnd: 1...28
        case .hour: 0...23
        case .minute, .second: 0...59
        }
    }

    /// The values as bits; none for `*`.
    func mask(_ text: borrowing Span<UInt8>, _ range: Range<Int>) throws(ScheduleError) -> UInt64? {
        if range.count == 1, text[range.lowerBound] == UInt8(ascii: "*") { return nil }
        var mask: UInt64 = 0
        try forEachValue(text, range) { mask |= 1 << UInt64($0) }
        return mask
    }

    /// Whether a list that has been read contains `a/n`, the spelling of a wildcard with a step.
    func hasOpenRepetition(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
        var isOpen = false
        var isRange = false
        for index in range {
            switch text[index] {
            case UInt8(ascii: ","): isRange = false
            case UInt8(ascii: "."): isRange = true
            case UInt8(ascii: "/"): isOpen = isOpen || !isRange
            default: break
            }
        }
        return isOpen
    }

    func forEachValue(
        _ text: borrowing Span<UInt8>, _ range: Range<Int>, _ body: (Int) -> Void
    ) throws(ScheduleError) {
        var items: [Item] = []
        var count = 0
        var begin = range.lowerBound
        while true {
            var end = begin
            while end < range.upperBound, text[end] != UInt8(ascii: ",") { end += 1 }
            count += 1
            guard count <= Self.itemLimit else {
                throw ScheduleError(
                    .unsupported, name, text, begin..<end, "a list has at most \(Self.itemLimit) items, as in systemd")
            }
            let item = try readItem(text, begin..<end)
            item.forEachValue(of: self, body)
            if self == .dayFromEnd { items.append(item) }
            guard end < range.upperBound else { break }
            begin = end + 1
        }
        if self == .dayFromEnd { try checkDaysFromEnd(text, items) }
    }

    // MARK: - Items

    /// The digits of `a..b/n`; the last two may be missing.
    private struct Shape {
        var first: Range<Int>
        var last: Range<Int>?
        var step: Range<Int>?

        init?(_ text: borrowing Span<UInt8>, _ item: Range<Int>) {
            var reader = ShapeReader(position: item.lowerBound, end: item.upperBound)
            guard let first = reader.digits(text, 1...item.count) else { return nil }
            self.first = first
            if reader.skip(text, ".") {
                guard reader.skip(text, "."), let last = reader.digits(text, 1...item.count) else { return nil }
                self.last = last
            }
            if reader.skip(text, "/") {
                guard let step = reader.digits(text, 1...item.count) else { return nil }
                self.step = step
            }
            if !reader.isAtEnd { return nil }
        }
    }

    /// What an item says: a value, or a repetition up to a last value or, without one, to the end of the component.
    private struct Item: Hashable {
        var range: Range<Int>
        var first: Int
        var last: Int?
        var step: Int

        /// What systemd sorts lists by.
        var key: (Int, Int, Int) { (first, last ?? -1, step) }

        /// With the last value that the step reaches; a range that reaches one value only is that value.
        var normalized: Item {
            guard let last else { return self }
            let reached = first + (last - first) / max(step, 1) * max(step, 1)
            if reached == first { return Item(range: range, first: first, last: nil, step: 0) }
            return Item(range: range, first: first, last: reached, step: step)
        }

        /// From the end of a month values count down while time goes forward, so an open repetition does; systemd's
        /// ranges count from their first value there too.
        func forEachValue(of component: CalendarComponent, _ body: (Int) -> Void) {
            let end: Int
            if let last {
                end = last
            } else if step == 0 {
                end = first
            } else {
                end = component == .dayFromEnd ? component.bounds.lowerBound : component.bounds.upperBound
            }
            for value in stride(from: first, through: end, by: end < first ? -step : max(step, 1)) { body(value) }
        }
    }

    private func readItem(_ text: borrowing Span<UInt8>, _ item: Range<Int>) throws(ScheduleError) -> Item {
        guard !item.isEmpty else {
            throw ScheduleError(.syntax, name, text, item, "a value is missing: \(expected)")
        }
        guard let shape = Shape(text, item) else { throw formError(text, item) }
        let first = try value(text, shape.first)
        var last: Int?
        if let range = shape.last { last = try value(text, range) }
        if let last, last < first {
            throw ScheduleError(.syntax, name, text, item, "a range goes up and does not wrap: \(expected)")
        }
        // systemd refuses a range of one second, and only of seconds.
        if self == .second, last == first, shape.step == nil {
            throw ScheduleError(.syntax, name, text, item, "write \(first) instead of a range of one second")
        }
        var step = 0
        if let range = shape.step {
            step = number(text, range)
            // systemd: an open repetition must come at least once within the component.
            let ahead = self == .dayFromEnd ? first - bounds.lowerBound : bounds.upperBound - first
            let room = last != nil ? bounds.count - 1 : ahead
            guard step >= 1, step <= room else {
                throw ScheduleError(.badStep, name, text, range, "a step here is 1–\(max(room, 1))")
            }
        }
        return Item(range: item, first: first, last: last, step: step)
    }

    /// systemd reads the sorted list of days from the end with a bound that shrinks by three from one to the next:
    /// 28, 25, 22. What it refuses is refused here too, so that an event means the same in both or nothing.
    private func checkDaysFromEnd(_ text: borrowing Span<UInt8>, _ items: [Item]) throws(ScheduleError) {
        var index = -1
        var previous = (0, 0, 0)
        for item in items.map(\.normalized).sorted(by: { $0.key < $1.key }) where item.key != previous {
            index += 1
            previous = item.key
            let bound = max(bounds.upperBound - 3 * index, 0)
            guard max(item.first, item.last ?? 0) <= bound, item.step < max(bound, 1) else {
                throw ScheduleError(
                    .unsupported, name, text, item.range,
                    "as number \(index + 1) of the list it may be at most \(bound), as in systemd.time(7)")
            }
        }
    }

    private func number(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Int {
        var position = range.lowerBound
        return CronParser.number(text, &position, range.upperBound)
    }

    private func value(_ text: borrowing Span<UInt8>, _ range: Range<Int>) throws(ScheduleError) -> Int {
        var value = number(text, range)
        if self == .year, value < 100 { value += value < 70 ? 2_000 : 1_900 }
        guard bounds.contains(value) else { throw ScheduleError(.outOfRange, name, text, range, expected) }
        return value
    }

    // MARK: - Errors

    private var expected: String {
        "expected \(bounds.lowerBound)–\(bounds.upperBound)\(self == .dayFromEnd ? " from the end of the month" : "")"
    }

    private func formError(_ text: borrowing Span<UInt8>, _ item: Range<Int>) -> ScheduleError {
        var isAllLetters = true
        var hasFraction = false
        for index in item {
            isAllLetters = isAllLetters && isLetter(text[index])
            if text[index] == UInt8(ascii: "."), index > item.lowerBound, isDigit(text[index - 1]),
                index + 1 < item.upperBound, isDigit(text[index + 1])
            {
                hasFraction = true
            }
        }
        if isAllLetters { return ScheduleError(.unknownName, name, text, item, expected) }
        if hasFraction, self == .second {
            return ScheduleError(.unsupported, name, text, item, "fire times are whole seconds: \(expected)")
        }
        if text[item.lowerBound] == UInt8(ascii: "*") {
            return ScheduleError(.syntax, name, text, item, "write \(bounds.lowerBound)/n for every n-th: \(expected)")
        }
        return ScheduleError(.syntax, name, text, item, expected)
    }
}
