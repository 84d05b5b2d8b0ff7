/// Which days of a month a pattern matches, as masks. Bit 0 of a day mask is the 1st of the month.
///
/// What a rule matches depends on two numbers only: the length of the month and the weekday of its 1st. So a month is
/// decided by a few operations on words, and "never" by the 28 kinds of month that there are.
struct DayRule: Equatable, Sendable, BitwiseCopyable {
    /// Bit d−1: the day d.
    var days: UInt32 = 0
    /// Bit n: n days before the last one.
    var daysFromEnd: UInt32 = 0
    /// Bit n−1: the Monday–Friday day nearest to the day n, within the month.
    var nearestWorkdays: UInt32 = 0
    /// The last Monday–Friday day.
    var hasLastWorkday = false
    /// Bit w: every such weekday, 0 is Sunday.
    var weekdays: UInt8 = 0
    /// Bit w: the last such weekday of the month.
    var lastWeekdays: UInt8 = 0
    /// Bit 7·(k−1) + w: the k-th such weekday of the month.
    var nthWeekdays: UInt64 = 0
    /// True: the day of the month and the weekday must both match. False: either may.
    var needsBoth = true

    static let everyDay: UInt32 = 0x7FFF_FFFF
    static let everyWeekday: UInt8 = 0x7F

    /// True where days of the month or weekdays need more than their plain mask.
    private var hasSpecials: Bool {
        (daysFromEnd | nearestWorkdays) != 0 || lastWeekdays != 0 || nthWeekdays != 0 || hasLastWorkday
    }

    var matchesEveryDay: Bool {
        let allDays = days == Self.everyDay
        let allWeekdays = weekdays == Self.everyWeekday
        return needsBoth ? allDays && allWeekdays : allDays || allWeekdays
    }

    /// The days matched in a month of `length` days (28…31) whose 1st is `firstWeekday` (0 is Sunday).
    @inline(__always)
    func mask(length: Int, firstWeekday: Int) -> UInt32 {
        let month = UInt32(1) << UInt32(truncatingIfNeeded: length) &- 1
        var byDay = days
        var byWeekday = Self.spread(weekdays, firstWeekday: firstWeekday)
        if hasSpecials {
            byDay |= specialDays(length: length, firstWeekday: firstWeekday)
            byWeekday |= specialWeekdays(length: length, firstWeekday: firstWeekday, month: month)
        }
        return (needsBoth ? byDay & byWeekday : byDay | byWeekday) & month
    }

    /// A mask of weekdays as a mask of days, for a month that begins on `firstWeekday`.
    @inline(__always)
    private static func spread(_ weekdays: UInt8, firstWeekday: Int) -> UInt32 {
        let first = UInt64(truncatingIfNeeded: firstWeekday)
        let week = (UInt64(weekdays) &>> first | UInt64(weekdays) &<< (7 &- first)) & 0x7F
        return UInt32(truncatingIfNeeded: week &* 0x1020_4081)
    }

    @inline(never)
    private func specialDays(length: Int, firstWeekday: Int) -> UInt32 {
        var mask: UInt32 = 0
        var rest = daysFromEnd
        while rest != 0 {
            let before = rest.trailingZeroBitCount
            if before < length { mask |= 1 << UInt32(length - 1 - before) }
            rest &= rest - 1
        }
        if hasLastWorkday {
            mask |= 1 << UInt32(nearestWorkday(to: length - 1, length: length, firstWeekday: firstWeekday))
        }
        rest = nearestWorkdays
        while rest != 0 {
            let index = rest.trailingZeroBitCount
            if index < length {
                mask |= 1 << UInt32(nearestWorkday(to: index, length: length, firstWeekday: firstWeekday))
            }
            rest &= rest - 1
        }
        return mask
    }

    /// Indices here are days less one.
    private func nearestWorkday(to index: Int, length: Int, firstWeekday: Int) -> Int {
        switch (firstWeekday + index) % 7 {
        case 6: index > 0 ? index - 1 : index + 2
        case 0: index + 1 < length ? index + 1 : index - 2
        default: index
        }
    }

    @inline(never)
    private func specialWeekdays(length: Int, firstWeekday: Int, month: UInt32) -> UInt32 {
        let lastWeek = month & ~(month >> 7)
        var mask = Self.spread(lastWeekdays, firstWeekday: firstWeekday) & lastWeek
        var rest = nthWeekdays
        var week: UInt32 = 0x7F
        while rest != 0 {
            mask |= Self.spread(UInt8(rest & 0x7F), firstWeekday: firstWeekday) & week
            rest >>= 7
            week <<= 7
        }
        return mask
    }

    // MARK: - Kinds of month

    /// The index of a kind of month, 0…27: its length and the weekday of its 1st.
    @inline(__always)
    static func kind(length: Int, firstWeekday: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: (length &- 28) &* 7 &+ firstWeekday)
    }

    /// Bit k: a month of kind k may have a day that matches. Exact where the rule can miss a whole month; where a
    /// plain day up to the 28th or a plain weekday makes that impossible, all bits, without a look.
    var kinds: UInt32 {
        let isPlain = days & 0x0FFF_FFFF != 0 || daysFromEnd & 0x0FFF_FFFF != 0
        let hasFourWeeks = days & 0x0FFF_FFFF == 0x0FFF_FFFF
        let matchesEveryMonth =
            needsBoth
            ? (hasFourWeeks && weekdays != 0) || (isPlain && weekdays == Self.everyWeekday) : isPlain || weekdays != 0
        if matchesEveryMonth { return .max }
        var kinds: UInt32 = 0
        for length in 28...31 {
            for firstWeekday in 0..<7 where mask(length: length, firstWeekday: firstWeekday) != 0 {
                kinds |= 1 &<< Self.kind(length: length, firstWeekday: firstWeekday)
            }
        }
        return kinds
    }

    /// Whether any month of the given set (bit 1 January … bit 12 December) is of one of the kinds. The calendar
    /// repeats after 400 years, in which each month begins on each weekday in each length that it has; they all occur
    /// before the horizon too. So this is the proof that a rule never fires.
    static func canMatch(kinds: UInt32, inMonths months: UInt16) -> Bool {
        let thirtyDays: UInt16 = 1 << 4 | 1 << 6 | 1 << 9 | 1 << 11
        let february: UInt16 = 1 << 2
        var reachable: UInt32 = 0
        if months & february != 0 { reachable |= 0x7F | 0x7F << 7 }
        if months & thirtyDays != 0 { reachable |= 0x7F << 14 }
        if months & ~(thirtyDays | february) != 0 { reachable |= 0x7F << 21 }
        return kinds & reachable != 0
    }
}
