import Glibc
import Schedules
import Testing

@testable import Configuration

/// `local` is what libc makes of TZ. The oracle is libc itself: localtime_r under the same variable.
@Suite(.serialized) struct LocalZoneTests {
    /// What libc reads: rules, names and files, with and without the colon.
    static let readable = [
        "UTC0", "UTC", "EST5EDT", "EST5EDT4", "CET-1CEST", "CET-1CEST,M3.5.0,M10.5.0/3", ":CET-1CEST,M3.5.0,M10.5.0/3",
        "<+03>-3", "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
        "IST-2IDT,M3.4.4/26,M10.5.0",
        "ABC1DEF2,J60,J300/-2", "ABC1DEF,0/0,J365/23", "EST5EDT4,M3.2.0/100,M11.1.0/-100", "GMT0BST",
        "WET0WEST,M3.5.0/1,M10.5.0", "EST-5:30", "EST+05:30:15", "ABC24:59:59", "NZST-12NZDT,M9.5.0,M4.1.0/3",
        "AEST-10AEDT,M10.1.0,M4.1.0/3", "ABC-14", "Europe/Berlin", ":Europe/Berlin", "America/New_York",
        "Australia/Lord_Howe", "/usr/share/zoneinfo/Asia/Tokyo", ":/usr/share/zoneinfo/Asia/Tokyo",
        "../zoneinfo/Asia/Tokyo", "posix/Asia/Tokyo", "posixrules", "", ":",
    ]

    /// Daylight time without a rule changes on the days of the United States. At which hour depends in glibc on whether
    /// there is a file `posixrules`, from which it takes the hours of New York, moved about: that is not followed.
    static let withoutRule = ["EST5EDT4", "CET-1CEST", "GMT0BST"]
    /// That file lists changes up to 2037 only, and glibc stays with the last of them: October 2037.
    static let posixrulesEnd: Int64 = 2_139_000_000

    /// What libc takes for UTC, or for half of what it says, without a word.
    static let unreadable = [
        "Foo", "Foo/Bar", "A1", "AB1", "/nonexistent", "ABC1DEF,", "ABC1DEF,M3.2.0", "ABC+25", "XXX3YYY,M13.1.0,M1.1.0",
        "UTC0 garbage", "EST5EDT,M3.2.0,M11.1.0x", "ABC 5", " UTC0", "<+3-3", "/etc", "UTC0,", "12345",
        String(repeating: "x", count: 100_000),
    ]

    /// Offsets of all kinds of days from 2008 to 2037, with those right around changes at the usual hours.
    static let instants: [Int64] = (0..<24_000).map { 1_199_145_600 + $0 * 39_600 + ($0 % 2) * 1_799 }

    private func zones(_ variable: String?) -> ZoneDatabase {
        ZoneDatabase(directory: "/usr/share/zoneinfo", localtime: "/nonexistent", timeZoneVariable: variable)
    }

    @Test(arguments: readable) func localIsWhatLibcMakesOfTZ(_ variable: String) throws {
        let zone = try zones(variable).zone(named: "local")
        let before = getenv("TZ").map { String(cString: $0) }
        defer {
            if let before { setenv("TZ", before, 1) } else { unsetenv("TZ") }
            tzset()
        }
        setenv("TZ", variable, 1)
        tzset()
        func offset(_ seconds: Int64) -> Int {
            var time = time_t(seconds)
            var local = tm()
            localtime_r(&time, &local)
            return local.tm_gmtoff
        }
        let isRuleless = Self.withoutRule.contains(variable)
        var differing = 0
        for seconds in Self.instants where zone.utcOffset(at: Instant(seconds: seconds)) != offset(seconds) {
            if isRuleless, seconds > Self.posixrulesEnd || offset(seconds - 86_400) != offset(seconds + 86_400) {
                continue
            }
            differing += 1
        }
        #expect(differing == 0, "\(variable)")
    }

    @Test(arguments: unreadable) func whatIsNoZoneIsAnErrorThatNamesTZ(_ variable: String) throws {
        let zones = zones(variable)
        let error = #expect(throws: ScheduleError.self) { try zones.zone(named: "local") }
        #expect(error?.field == "TZ" && error?.code == .badTimezone && error?.value == variable)
        #expect(error?.description.contains("the variable TZ names no installed zone") == true)
        // Only who asks for it gets UTC in its place, and the reason with it.
        zones.fallBackToUTC()
        #expect(zones.localFault == error)
        #expect(try zones.zone(named: "local") == .utc)
        #expect(zones.reload().isEmpty)
    }

    /// A file was blamed for a key that does not stand in it.
    @Test func aConfigurationIsNotBlamedForTZ() throws {
        let reader = ConfigurationReader(zones: zones("nonsense"), home: "/", now: friday)
        let error = #expect(throws: ConfigurationError.self) {
            try reader.read(outline: try ConfigurationFile.outline(Array("{\"schedules\": {}}".utf8), path: "x"))
        }
        #expect(error?.line == nil)
        #expect(error?.reason.contains("TZ \"nonsense\"") == true)
        #expect(error?.reason.contains("schedules") == false)
    }

    @Test func withoutTheVariableTheMachineDecides() throws {
        let zones = zones(nil)
        zones.fallBackToUTC()
        #expect(zones.localFault == nil)
        #expect(zones.localName == "UTC")
    }
}
