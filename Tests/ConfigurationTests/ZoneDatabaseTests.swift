import Configuration
import Foundation
import Schedules
import Testing

@Suite struct ZoneDatabaseTests {
    /// A directory of its own with copies of installed zones.
    private final class Sandbox {
        let path: String

        init() throws {
            path = FileManager.default.temporaryDirectory.appendingPathComponent("zones-\(UUID().uuidString)").path
            try FileManager.default.createDirectory(
                atPath: path + "/zoneinfo/Europe", withIntermediateDirectories: true)
            for name in ["UTC", "Europe/Berlin", "Europe/London"] { try copy(name, to: "zoneinfo/\(name)") }
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func copy(_ zone: String, to place: String) throws {
            let data = try #require(FileManager.default.contents(atPath: "/usr/share/zoneinfo/\(zone)"))
            try data.write(to: URL(fileURLWithPath: "\(path)/\(place)"), options: .atomic)
        }

        func link(_ place: String, to target: String) throws {
            try? FileManager.default.removeItem(atPath: "\(path)/\(place)")
            try FileManager.default.createSymbolicLink(atPath: "\(path)/\(place)", withDestinationPath: target)
        }

        func database(variable: String? = nil) -> ZoneDatabase {
            ZoneDatabase(directory: path + "/zoneinfo", localtime: path + "/localtime", timeZoneVariable: variable)
        }
    }

    @Test func aZoneIsReadOnceAndShared() throws {
        let sandbox = try Sandbox()
        let zones = sandbox.database()
        let berlin = try zones.zone(named: "Europe/Berlin")
        #expect(try zones.zone(named: "Europe/Berlin") === berlin)
        #expect(berlin.name == "Europe/Berlin")
        #expect(berlin.utcOffset(at: Instant(seconds: 1_772_884_800)) == 3_600)
    }

    @Test(arguments: [
        "", "/usr/share/zoneinfo/UTC", "../UTC", "Europe/../UTC", "Europe//Berlin", "Europe", "Europe/",
        "europe/berlin", "CEST",
        "+02:00", "posixrules", "localtime", "posix/UTC", "right/UTC", "Mars/Olympus", "./UTC", "UTC\0", "zone.tab",
    ]) func everythingElseIsABadTimezone(_ name: String) throws {
        let sandbox = try Sandbox()
        try "not a zone".write(toFile: sandbox.path + "/zoneinfo/zone.tab", atomically: true, encoding: .utf8)
        try sandbox.copy("UTC", to: "zoneinfo/posixrules")
        let error = #expect(throws: ScheduleError.self) { try sandbox.database().zone(named: name) }
        #expect(
            error?.code == .badTimezone && error?.field == "timezone" && error?.value == name && error?.position == 0)
    }

    @Test func localIsTheTargetOfTheLink() throws {
        let sandbox = try Sandbox()
        try sandbox.link("localtime", to: "zoneinfo/Europe/Berlin")
        let zones = sandbox.database()
        #expect(zones.localName == "Europe/Berlin")
        #expect(try zones.zone(named: "local") === zones.zone(named: "Europe/Berlin"))
    }

    @Test func aCopiedLocaltimeHasNoName() throws {
        let sandbox = try Sandbox()
        try sandbox.copy("Europe/Berlin", to: "localtime")
        let zones = sandbox.database()
        #expect(zones.localName == "local")
        #expect(try zones.zone(named: "local").utcOffset(at: Instant(seconds: 1_772_884_800)) == 3_600)
    }

    @Test func withoutALinkTheMachineIsOnUTC() throws {
        let zones = try Sandbox().database()
        #expect(zones.localName == "UTC")
    }

    @Test func theVariableCountsBeforeTheLink() throws {
        let sandbox = try Sandbox()
        try sandbox.link("localtime", to: "zoneinfo/Europe/Berlin")
        #expect(sandbox.database(variable: "Europe/London").localName == "Europe/London")
        #expect(sandbox.database(variable: ":Europe/London").localName == "Europe/London")
        #expect(sandbox.database(variable: "").localName == "UTC")
        #expect(sandbox.database(variable: ":\(sandbox.path)/zoneinfo/Europe/London").localName == "Europe/London")
        #expect(throws: ScheduleError.self) { try sandbox.database(variable: "EST5EDT4,").zone(named: "local") }
    }

    @Test func reloadNamesWhatChanged() throws {
        let sandbox = try Sandbox()
        try sandbox.link("localtime", to: "zoneinfo/Europe/Berlin")
        let zones = sandbox.database()
        let berlin = try zones.zone(named: "Europe/Berlin")
        _ = try zones.zone(named: "Europe/London")
        _ = try zones.zone(named: "local")
        #expect(zones.reload().isEmpty)
        // The same content in a new file is no change.
        try sandbox.copy("Europe/Berlin", to: "zoneinfo/Europe/Berlin")
        #expect(zones.reload().isEmpty)
        #expect(try zones.zone(named: "Europe/Berlin") === berlin)
        try sandbox.copy("Asia/Tokyo", to: "zoneinfo/Europe/London")
        #expect(zones.reload() == ["Europe/London"])
        #expect(try zones.zone(named: "Europe/London").utcOffset(at: Instant(seconds: 1_772_884_800)) == 9 * 3_600)
        try sandbox.link("localtime", to: "zoneinfo/Europe/London")
        #expect(zones.reload() == ["local"])
        #expect(zones.localName == "Europe/London")
        try FileManager.default.removeItem(atPath: sandbox.path + "/zoneinfo/Europe/Berlin")
        #expect(zones.reload() == ["Europe/Berlin"])
        #expect(throws: ScheduleError.self) { try zones.zone(named: "Europe/Berlin") }
    }
}
