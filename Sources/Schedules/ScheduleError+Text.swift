extension ScheduleError {
    /// A refusal of the bytes `range` of a text. Only built on the way out: parsing itself makes no strings.
    init(_ code: Code, _ field: String, _ text: borrowing Span<UInt8>, _ range: Range<Int>, _ sentence: String) {
        self.init(
            code: code, field: field, value: Self.string(text, range), position: Self.position(text, range.lowerBound),
            sentence: sentence)
    }

    /// Bytes as a string; a range always lies on scalar borders of valid UTF-8, as every border is an ASCII byte.
    static func string(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        for index in range { bytes.append(text[index]) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The number of Unicode scalars before a byte.
    static func position(_ text: borrowing Span<UInt8>, _ byte: Int) -> Int {
        var scalars = 0
        for index in 0..<byte where text[index] & 0xC0 != 0x80 { scalars += 1 }
        return scalars
    }

    /// A text beyond `Schedule.textLimit` is refused before it is looked at.
    static func tooLong(_ field: String, count: Int) -> ScheduleError {
        ScheduleError(
            code: .syntax, field: field, value: "", position: 0,
            sentence: "the text has \(count) bytes, at most \(Schedule.textLimit) are read")
    }
}
