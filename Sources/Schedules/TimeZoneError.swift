/// Why the bytes of a zone file could not be read. Shown to people as the reason inside a `bad_timezone`.
public enum TimeZoneError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file does not begin with "TZif".
    case notTZif
    /// The file ends before the part named is complete.
    case truncated(String)
    /// A count or an index in the file contradicts the rest of it.
    case inconsistent(String)
    /// The file counts leap seconds; schedules are in POSIX time.
    case countsLeapSeconds
    /// The POSIX rule after the last transition cannot be read.
    case badFooter(String)
    /// More transitions, types or bytes than any real zone has.
    case tooLarge(String)

    public var description: String {
        switch self {
        case .notTZif: "the file is not TZif: it does not begin with \"TZif\""
        case .truncated(let part): "the TZif file ends inside its \(part)"
        case .inconsistent(let what): "the TZif file contradicts itself: \(what)"
        case .countsLeapSeconds: "the TZif file counts leap seconds; only POSIX time is supported"
        case .badFooter(let text): "the rule after the last transition, \"\(text)\", is no POSIX time-zone rule"
        case .tooLarge(let what): "the TZif file is larger than any zone: \(what)"
        }
    }
}
