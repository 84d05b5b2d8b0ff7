extension Instant {
    /// To the second, with the offset in force: `2026-01-26T09:00:00-05:00`; UTC is `+00:00`. A fraction is cut off.
    /// An offset with seconds in it (before 1972) is cut to its minute, as the format has no seconds there.
    public func rfc3339(in zone: TimeZoneRules) -> String {
        let offset = zone.utcOffset(at: self)
        let wall = LocalDateTime(wallSeconds: seconds + Int64(offset / 60 * 60))
        let size = abs(offset)
        return "\(padded(wall.year, 4))-\(padded(wall.month, 2))-\(padded(wall.day, 2))T\(padded(wall.hour, 2)):"
            + "\(padded(wall.minute, 2)):\(padded(wall.second, 2))\(offset < 0 && size >= 60 ? "-" : "+")"
            + "\(padded(size / 3_600, 2)):\(padded(size / 60 % 60, 2))"
    }

    /// Reads `2026-01-26T09:00:00-05:00`, `…Z`, `…+0530`, `…-03`, with a fraction of up to nine digits, which is cut to
    /// microseconds. None where the offset is missing, a part is out of range or anything else stands there.
    public init?(rfc3339 text: String) {
        let bytes = text.utf8.span
        guard let shape = DateTimeShape(bytes, 0..<bytes.count), shape.offset != nil,
            let moment = try? shape.moment(bytes), let offset = moment.offset
        else { return nil }
        let whole = Instant(seconds: moment.wall - offset)
        self.init(microseconds: whole.microseconds + moment.nanoseconds / 1_000)
    }
}

/// Decimal digits, with zeros in front up to `width`.
func padded(_ value: Int, _ width: Int) -> String {
    let digits = String(abs(value))
    return (value < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}
