// Items that are not plain: the day items, and what is wrong with the rest.

extension CronParser {
    /// What an item is made of. Numbers and letters come in runs, everything else alone.
    private struct Token {
        enum Kind: UInt8 {
            case digits, letters, star, dash, slash, hash, other
        }

        var kind: Kind
        var range: Range<Int>
    }

    /// No form of an item has more tokens: `MON-FRI/2` has five.
    private static let tokenLimit = 6

    /// Adds a day item to `dayRule`, or says what is wrong.
    mutating func readDayItem(
        _ text: borrowing Span<UInt8>, _ item: Range<Int>, _ field: CronField
    ) throws(ScheduleError) {
        if item.isEmpty {
            throw ScheduleError(.syntax, field.name, text, item, "a value is missing: \(field.expected)")
        }
        if text[item.lowerBound] | 0x20 == UInt8(ascii: "h") {
            throw ScheduleError(
                .unsupported, field.name, text, item,
                "a stable spread over time is the key \"jitter\"; \(field.expected)")
        }
        let tokens = Self.tokens(text, item)
        if field == .dayOfMonth, try readDayOfMonth(text, item, tokens) { return }
        if field == .dayOfWeek, try readDayOfWeek(text, item, tokens) { return }
        throw Self.fault(text, item, tokens, field)
    }

    private static func tokens(_ text: borrowing Span<UInt8>, _ item: Range<Int>) -> [Token] {
        var tokens: [Token] = []
        var position = item.lowerBound
        while position < item.upperBound, tokens.count <= tokenLimit {
            let begin = position
            let byte = text[position]
            position += 1
            let kind: Token.Kind
            if isDigit(byte) {
                kind = .digits
                while position < item.upperBound, isDigit(text[position]) { position += 1 }
            } else if isLetter(byte) {
                kind = .letters
                while position < item.upperBound, isLetter(text[position]) { position += 1 }
            } else {
                switch byte {
                case UInt8(ascii: "*"): kind = .star
                case UInt8(ascii: "-"): kind = .dash
                case UInt8(ascii: "/"): kind = .slash
                case UInt8(ascii: "#"): kind = .hash
                default: kind = .other
                }
            }
            tokens.append(Token(kind: kind, range: begin..<position))
        }
        return tokens
    }

    /// Whether letters, in any case, are `word` (given in lower case).
    private static func spells(_ text: borrowing Span<UInt8>, _ range: Range<Int>, _ word: StaticString) -> Bool {
        guard range.count == word.utf8CodeUnitCount else { return false }
        for offset in 0..<range.count where text[range.lowerBound + offset] | 0x20 != word.utf8Start[offset] {
            return false
        }
        return true
    }

    private static func value(_ text: borrowing Span<UInt8>, _ token: Token) -> Int {
        var position = token.range.lowerBound
        return number(text, &position, token.range.upperBound)
    }

    /// The value of digits, where they are one of the field.
    private static func checked(
        _ text: borrowing Span<UInt8>, _ token: Token, _ range: ClosedRange<Int>, _ field: CronField, _ sentence: String
    ) throws(ScheduleError) -> Int {
        let value = value(text, token)
        guard range.contains(value) else { throw ScheduleError(.outOfRange, field.name, text, token.range, sentence) }
        return value
    }

    // MARK: - Day items

    /// `L`, `L-n`, `LW`, `nW`. False where the item is none of them.
    private mutating func readDayOfMonth(
        _ text: borrowing Span<UInt8>, _ item: Range<Int>, _ tokens: [Token]
    ) throws(ScheduleError) -> Bool {
        let kinds = tokens.map(\.kind)
        if kinds[0] == .letters {
            let isLast = Self.spells(text, tokens[0].range, "l")
            let isLastWorkday = Self.spells(text, tokens[0].range, "lw")
            guard isLast || isLastWorkday else { return false }
            if kinds.count == 1 {
                if isLast { dayRule.daysFromEnd |= 1 } else { dayRule.hasLastWorkday = true }
                return true
            }
            guard isLast, kinds == [.letters, .dash, .digits] else {
                throw ScheduleError(
                    .syntax, CronField.dayOfMonth.name, text, item,
                    "L, L-n and LW take neither a step nor a range, and do not go together: L-3 is the third day before the last, "
                        + "LW the last Monday-to-Friday day")
            }
            let before = try Self.checked(text, tokens[2], 1...30, .dayOfMonth, "expected L-1 to L-30")
            dayRule.daysFromEnd |= 1 << UInt32(before)
            return true
        }
        guard kinds == [.digits, .letters], Self.spells(text, tokens[1].range, "w") else { return false }
        let day = try Self.checked(text, tokens[0], 1...31, .dayOfMonth, "expected 1W to 31W")
        dayRule.nearestWorkdays |= 1 << UInt32(day - 1)
        return true
    }

    /// `5L`, `FRIL`, `5#2`, `FRI#2`. False where the item is none of them.
    private mutating func readDayOfWeek(
        _ text: borrowing Span<UInt8>, _ item: Range<Int>, _ tokens: [Token]
    ) throws(ScheduleError) -> Bool {
        let kinds = tokens.map(\.kind)
        if kinds == [.letters], Self.spells(text, tokens[0].range, "l") {
            throw ScheduleError(
                .unsupported, CronField.dayOfWeek.name, text, item,
                "write which weekday: SATL or 6L is the last Saturday")
        }
        if kinds == [.letters], tokens[0].range.count == 4, text[item.upperBound - 1] | 0x20 == UInt8(ascii: "l") {
            let begin = item.lowerBound
            let name = CronField.pack(text[begin], text[begin + 1], text[begin + 2])
            let weekday = CronField.dayOfWeek.value(ofName: name)
            guard weekday >= 0 else { return false }
            dayRule.lastWeekdays |= 1 << UInt8(weekday)
            return true
        }
        if kinds == [.digits, .letters], Self.spells(text, tokens[1].range, "l") {
            let weekday = try Self.checked(text, tokens[0], 0...7, .dayOfWeek, "expected 0L to 7L")
            dayRule.lastWeekdays |= 1 << UInt8(weekday % 7)
            return true
        }
        guard kinds.count == 3, kinds[0] == .digits || kinds[0] == .letters, kinds[1] == .hash, kinds[2] == .digits
        else {
            return false
        }
        let weekday = try Self.value(text, of: tokens[0], .dayOfWeek) % 7
        let week = try Self.checked(
            text, tokens[2], 1...5, .dayOfWeek, "a month has a first to a fifth such day: expected 1–5")
        dayRule.nthWeekdays |= 1 << UInt64((week - 1) * 7 + weekday)
        return true
    }

    /// A number or a name of the field.
    private static func value(
        _ text: borrowing Span<UInt8>, of token: Token, _ field: CronField
    ) throws(ScheduleError) -> Int {
        if token.kind == .digits {
            return try checked(text, token, field.least...field.greatestWritten, field, field.expectedNumber)
        }
        let begin = token.range.lowerBound
        let value =
            token.range.count == 3
            ? field.value(ofName: CronField.pack(text[begin], text[begin + 1], text[begin + 2])) : -1
        guard value >= 0 else {
            throw ScheduleError(.unknownName, field.name, text, token.range, field.expected)
        }
        return value
    }

    // MARK: - What is wrong

    /// The first fault of an item: its form as a whole, then its values from left to right.
    private static func fault(
        _ text: borrowing Span<UInt8>, _ item: Range<Int>, _ tokens: [Token], _ field: CronField
    ) -> ScheduleError {
        let syntax = ScheduleError(.syntax, field.name, text, item, field.expected)
        var kinds = tokens.map(\.kind)[...]
        guard let first = kinds.popFirst() else { return syntax }
        var values: [Token] = []
        var step: Token?
        switch first {
        case .star: break
        case .digits, .letters:
            values.append(tokens[0])
            if kinds.first == .dash {
                kinds = kinds.dropFirst()
                guard let second = kinds.popFirst(), second == .digits || second == .letters else { return syntax }
                values.append(tokens[2])
            }
        default: return syntax
        }
        if kinds.first == .slash {
            kinds = kinds.dropFirst()
            guard kinds.first == .digits, let last = tokens.last, kinds.count == 1 else { return syntax }
            kinds = []
            step = last
        }
        guard kinds.isEmpty else { return syntax }
        for token in values {
            do {
                _ = try value(text, of: token, field)
            } catch {
                return error
            }
        }
        guard let step else { return syntax }
        return ScheduleError(.badStep, field.name, text, step.range, field.badStep(value(text, step)))
    }
}
