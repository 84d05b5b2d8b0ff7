internal import Configuration
internal import Schedules
internal import Scheduling

/// A message as mail (RFC 5322): plain text in UTF-8, whatever a job or its output is called.
struct Mail {
    var from: String
    var to: [String]
    var subject: String
    var body: String
    /// Of the message: however often it is sent, it is one mail.
    var id: String
    var date: Instant
    var zone: TimeZoneRules

    /// With lines that end with CR LF.
    var text: String {
        // A name without a host is one of this machine's.
        let host = from.split(separator: "@").dropFirst().first ?? "localhost"
        let headers = [
            ("From", from), ("To", to.joined(separator: ",\r\n ")), ("Subject", Self.word(subject)),
            ("Date", Self.date(date, zone)), ("Message-ID", "<\(id)@\(host)>"), ("Auto-Submitted", "auto-generated"),
            ("MIME-Version", "1.0"), ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "quoted-printable"),
        ]
        return headers.map { "\($0): \($1)\r\n" }.joined() + "\r\n" + Self.quoted(body)
    }

    // MARK: - The subject

    /// So many bytes are one encoded word of less than 76 characters, and of the text so many are shown.
    private static let wordBytesMax = 14
    private static let subjectMax = 200

    /// One line without line ends, in ASCII: what is none of it is encoded (RFC 2047), so that no name makes a header.
    private static func word(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(subjectMax).map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }
        let isPlain = shown.allSatisfy(\.isASCII) && shown.count < 70 && !shown.starts(with: "=?".unicodeScalars)
        if isPlain { return String(String.UnicodeScalarView(shown)) }
        var words: [[UInt8]] = [[]]
        for scalar in shown {
            let bytes = Array(String(scalar).utf8)
            if words[words.count - 1].count + bytes.count > wordBytesMax { words.append([]) }
            words[words.count - 1] += bytes
        }
        return words.map { "=?utf-8?q?\($0.map(encodedByte).joined())?=" }.joined(separator: "\r\n ")
    }

    private static func encodedByte(_ byte: UInt8) -> String {
        let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        return isLetter || isDigit ? String(Character(Unicode.Scalar(byte))) : "=" + hex(byte)
    }

    private static func hex(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }

    // MARK: - The body

    private static let lineMax = 74

    /// Quoted-printable (RFC 2045, section 6.7): any bytes, in short lines. A point at the start of a line, by which
    /// older programs know the end of a mail, is quoted, too.
    private static func quoted(_ text: String) -> String {
        var quoted: [UInt8] = []
        for line in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            var length = 0
            let end = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            for (place, byte) in zip(end.indices, end) {
                let isBlank = byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
                let isLast = end.index(after: place) == end.endIndex
                let isPlain = (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "=") || isBlank && !isLast
                if length >= lineMax - 2 {
                    quoted += "=\r\n".utf8
                    length = 0
                }
                if isPlain, length > 0 || byte != UInt8(ascii: ".") {
                    quoted.append(byte)
                    length += 1
                } else {
                    quoted += ("=" + hex(byte)).utf8
                    length += 3
                }
            }
            quoted += "\r\n".utf8
        }
        return String(decoding: quoted, as: UTF8.self)
    }

    // MARK: - The date

    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `Mon, 05 Jan 2026 09:00:00 +0100`.
    private static func date(_ instant: Instant, _ zone: TimeZoneRules) -> String {
        let local = zone.localDateTime(at: instant)
        let text = instant.rfc3339(in: zone)
        let offset = text.suffix(6).filter { $0 != ":" }
        let day = text.dropFirst(8).prefix(2)
        return "\(days[local.weekday % 7]), \(day) \(months[local.month - 1]) \(text.prefix(4)) "
            + "\(text.dropFirst(11).prefix(8)) \(offset)"
    }
}
