import Foundation
import Schedules
import TestSupport
import Testing

@Suite struct TimeZoneRulesTests {
    /// Every change of offset that zdump(8), the C library's own reader, finds in 1970…2100.
    @Test func everyTransitionIsWhereZdumpSeesIt() throws {
        let all = InstalledZones.shared.names
        let names = TestSettings.isLong ? all : all.enumerated().filter { $0.offset % 12 == 0 }.map(\.element)
        #expect(names.count > 30)
        for name in names {
            let zone = try #require(InstalledZones.shared.zone(name))
            let output = try Program("/usr/bin/zdump").output(["-v", "-c", "1970,2101", "/usr/share/zoneinfo/\(name)"])
                .text
            for line in output.split(separator: "\n") where line.contains("gmtoff=") {
                // NAME  Sun Mar  8 06:59:59 2026 UT = … gmtoff=-18000
                let words = line.split(separator: " ")
                guard words.count > 7, let offset = words.last.flatMap({ Int($0.dropFirst("gmtoff=".count)) }),
                    let year = Int(words[5]), (1970..<2101).contains(year), let day = Int(words[3])
                else { continue }
                let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
                let month = try #require(months.firstIndex(of: String(words[2]))) + 1
                let time = words[4].split(separator: ":").compactMap { Int($0) }
                let local = LocalDateTime(
                    year: year, month: month, day: day, hour: time[0], minute: time[1], second: time[2])
                let instant = TimeZoneRules.utc.instant(of: local)
                #expect(zone.utcOffset(at: instant) == offset, "\(line)")
            }
        }
    }

    @Test func wallTimesInAGapAndAnOverlapHaveOneInstant() throws {
        let newYork = try #require(InstalledZones.shared.zone("America/New_York"))
        let gap = newYork.instant(of: LocalDateTime(year: 2026, month: 3, day: 8, hour: 2, minute: 30))
        #expect(gap.rfc3339(in: newYork) == "2026-03-08T03:00:00-04:00")
        let overlap = newYork.instant(of: LocalDateTime(year: 2026, month: 11, day: 1, hour: 1, minute: 30))
        #expect(overlap.rfc3339(in: newYork) == "2026-11-01T01:30:00-04:00")
        let later = newYork.instant(of: LocalDateTime(year: 2190, month: 7, day: 1, hour: 12))
        #expect(later.rfc3339(in: newYork) == "2190-07-01T12:00:00-04:00")
        #expect(LocalDateTime(year: 2026, month: 11, day: 20).weekday == 5)
    }

    @Test func wallTimesOfEveryZoneComeBack() throws {
        var random = SeededGenerator(seed: TestSettings.seed &+ 3)
        for name in InstalledZones.shared.names.shuffled(using: &random).prefix(TestSettings.isLong ? 1_000 : 40) {
            let zone = try #require(InstalledZones.shared.zone(name))
            for _ in 0..<50 {
                let instant = Instant(seconds: Int64.random(in: 0...Instant.horizon.seconds, using: &random))
                let local = zone.localDateTime(at: instant)
                let back = zone.instant(of: local)
                // In the second pass of an overlap the wall time means the first.
                #expect(back <= instant && zone.localDateTime(at: back) == local, "\(name) \(instant.seconds)")
                #expect(instant - back <= .seconds(26 * 3_600))
            }
        }
    }

    @Test func equalityIsByNameAndContent() throws {
        let bytes = InstalledZones.shared.bytes("Europe/Berlin")
        let berlin = try TimeZoneRules(name: "Europe/Berlin", tzif: bytes)
        #expect(try berlin == TimeZoneRules(name: "Europe/Berlin", tzif: bytes))
        #expect(try berlin != TimeZoneRules(name: "Europe/Paris", tzif: bytes))
        #expect(try berlin != TimeZoneRules(name: "Europe/Berlin", tzif: InstalledZones.shared.bytes("Asia/Tokyo")))
    }

    // MARK: - Hostile files

    @Test func everyTruncationOfAFileIsRefused() throws {
        let bytes = InstalledZones.shared.bytes("America/New_York")
        for count in 0..<bytes.count {
            #expect(throws: TimeZoneError.self) { try TimeZoneRules(name: "cut", tzif: Array(bytes.prefix(count))) }
        }
    }

    @Test func changedBytesAreReadOrRefusedButNeverTrap() throws {
        var random = SeededGenerator(seed: TestSettings.seed &+ 4)
        let bytes = InstalledZones.shared.bytes("Australia/Lord_Howe")
        var refused = 0
        for _ in 0..<2_000 {
            var broken = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                broken[Int.random(in: 0..<broken.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            do {
                let zone = try TimeZoneRules(name: "broken", tzif: broken)
                let table = try Timetable(schedule: .cron("30 2 * * *"), zone: zone, anchor: .epoch)
                _ = table.next(after: Instant(seconds: 1_772_884_800))
            } catch is TimeZoneError {
                refused += 1
            }
        }
        #expect(refused > 0)
    }

    @Test func hugeCountsAreRefusedBeforeTheyAreBelieved() throws {
        var bytes = InstalledZones.shared.bytes("UTC")
        for index in 20..<44 { bytes[index] = 0xFF }
        #expect(throws: TimeZoneError.self) { try TimeZoneRules(name: "huge", tzif: bytes) }
        #expect(throws: TimeZoneError.notTZif) { try TimeZoneRules(name: "text", tzif: Array("zone.tab\n".utf8)) }
        #expect(throws: TimeZoneError.notTZif) { try TimeZoneRules(name: "empty", tzif: []) }
        let large = [UInt8](repeating: 0, count: TimeZoneRules.fileSizeLimit + 1)
        #expect(throws: TimeZoneError.tooLarge("\(large.count) bytes")) {
            try TimeZoneRules(name: "large", tzif: large)
        }
    }

    @Test func aFirstVersionFileHasNoRuleAfterItsTransitions() throws {
        // One transition on 2000-01-01 from UTC to UTC+1.
        var bytes = Array("TZif".utf8) + [UInt8](repeating: 0, count: 16)
        for count in [0, 0, 0, 1, 2, 4] { bytes += [0, 0, 0, UInt8(count)] }
        bytes += [0x38, 0x6D, 0x43, 0x80, 1] + [0, 0, 0, 0, 0, 0] + [0, 0, 14, 16, 0, 0] + Array("UTC\0".utf8)
        let zone = try TimeZoneRules(name: "one", tzif: bytes)
        #expect(zone.utcOffset(at: Instant(seconds: 946_684_799)) == 0)
        #expect(zone.utcOffset(at: Instant(seconds: 946_684_800)) == 3_600)
        #expect(zone.utcOffset(at: .horizon) == 3_600)
    }
}
