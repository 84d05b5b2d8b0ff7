/// The six fields of a cron expression: their bounds, names and words for messages.
enum CronField: Int {
    case second, minute, hour, dayOfMonth, month, dayOfWeek

    /// As it is called in errors.
    var name: String {
        switch self {
        case .second: "second"
        case .minute: "minute"
        case .hour: "hour"
        case .dayOfMonth: "day_of_month"
        case .month: "month"
        case .dayOfWeek: "day_of_week"
        }
    }

    @inline(__always)
    var least: Int {
        self == .dayOfMonth || self == .month ? 1 : 0
    }

    /// The greatest value that a `*` or an open step reaches. A weekday may be written 7, which is no further value.
    @inline(__always)
    var greatest: Int {
        switch self {
        case .second, .minute: 59
        case .hour: 23
        case .dayOfMonth: 31
        case .month: 12
        case .dayOfWeek: 6
        }
    }

    /// The greatest number that may be written.
    @inline(__always)
    var greatestWritten: Int {
        self == .dayOfWeek ? 7 : greatest
    }

    /// The number of values, which is the greatest step.
    @inline(__always)
    var size: Int {
        greatest - least + 1
    }

    /// The value of a name of three letters, packed in lower case; −1 where it is none of this field.
    func value(ofName packed: UInt32) -> Int {
        switch self {
        case .month: Self.month(packed)
        case .dayOfWeek: Self.weekday(packed)
        default: -1
        }
    }

    /// Three letters of any case as one number.
    @inline(__always)
    static func pack(_ first: UInt8, _ second: UInt8, _ third: UInt8) -> UInt32 {
        UInt32(first | 0x20) << 16 | UInt32(second | 0x20) << 8 | UInt32(third | 0x20)
    }

    private static func weekday(_ packed: UInt32) -> Int {
        switch packed {
        case 0x73_75_6E: 0  // sun
        case 0x6D_6F_6E: 1  // mon
        case 0x74_75_65: 2  // tue
        case 0x77_65_64: 3  // wed
        case 0x74_68_75: 4  // thu
        case 0x66_72_69: 5  // fri
        case 0x73_61_74: 6  // sat
        default: -1
        }
    }

    private static func month(_ packed: UInt32) -> Int {
        switch packed {
        case 0x6A_61_6E: 1  // jan
        case 0x66_65_62: 2  // feb
        case 0x6D_61_72: 3  // mar
        case 0x61_70_72: 4  // apr
        case 0x6D_61_79: 5  // may
        case 0x6A_75_6E: 6  // jun
        case 0x6A_75_6C: 7  // jul
        case 0x61_75_67: 8  // aug
        case 0x73_65_70: 9  // sep
        case 0x6F_63_74: 10  // oct
        case 0x6E_6F_76: 11  // nov
        case 0x64_65_63: 12  // dec
        default: -1
        }
    }

    // MARK: - Words for messages

    var expected: String {
        switch self {
        case .dayOfWeek: "expected SUN–SAT or 0–7"
        case .month: "expected JAN–DEC or 1–12"
        case .dayOfMonth: "expected 1–31, L, L-n, LW or nW"
        default: expectedNumber
        }
    }

    var expectedNumber: String { "expected \(least)–\(greatestWritten)" }

    func badStep(_ step: Int) -> String {
        let bounds = "a step is 1–\(size)"
        guard step > size, step < 100_000 else { return bounds }
        switch self {
        case .second: return "\(bounds); every \(step) seconds is the interval \"\(step)s\""
        case .minute: return "\(bounds); every \(step) minutes is the interval \"\(step)m\""
        case .hour: return "\(bounds); every \(step) hours is the interval \"\(step)h\""
        case .dayOfMonth: return "\(bounds); every \(step) days is the interval \"\(step)d\""
        case .month: return "\(bounds); every \(step) months is the interval \"\(step)mo\""
        case .dayOfWeek: return "\(bounds); every \(step) days is the interval \"\(step)d\""
        }
    }
}
