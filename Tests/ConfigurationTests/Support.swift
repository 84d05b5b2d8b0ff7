import Glibc
import JSON
import Schedules
import Scheduling
import TestSupport
import Testing

@testable import Configuration

/// 2026-03-06 12:00 UTC: a Friday, 07:00 in New York, two days before its clocks go forward.
let friday = Instant(seconds: 1_772_798_400)

/// The system's zones on a machine whose own is UTC.
func testZones() -> ZoneDatabase {
    ZoneDatabase(directory: "/usr/share/zoneinfo", localtime: "/nonexistent", timeZoneVariable: nil)
}

func reader(now: Instant = friday, registrations: [String: Registration] = [:]) -> ConfigurationReader {
    ConfigurationReader(zones: testZones(), home: "/home/ada", now: now) { registrations[$0] }
}

/// The configuration of a file with that section, given as the members of an object.
func configuration(
    _ members: String = "", now: Instant = friday, registrations: [String: Registration] = [:]
) throws -> Configuration {
    try reader(now: now, registrations: registrations).read(
        document: JSONDocument(bytes: Array("{\"schedules\": {\(members)}}".utf8)))
}

/// A job over the bus, given as the members of an object; `name` is `j` and the action `command` where not given.
func job(
    _ members: String, section: String = "", now: Instant = friday, registrations: [String: Registration] = [:]
) throws -> Job {
    let value = try JSONValue(parsing: "{\(members)}")
    let defaults = try configuration(section)
    return try reader(now: now, registrations: registrations).readJob(
        value, origin: .bus, in: defaults, madeUpName: "job-00000000")
}

/// As `job`, with something to run.
func runnable(
    _ members: String, section: String = "", now: Instant = friday, registrations: [String: Registration] = [:]
) throws -> Job {
    let comma = members.isEmpty ? "" : ", "
    return try job(
        "\"name\": \"j\", \"command\": [\"true\"]\(comma)\(members)", section: section, now: now,
        registrations: registrations)
}

/// The text of the error of a definition that must be refused.
func refusal(_ members: String, section: String = "", now: Instant = friday) throws -> String {
    do {
        _ = try job(members, section: section, now: now)
    } catch let error as JobError {
        return error.description
    }
    return "accepted"
}

/// The next fire times of a job's first schedule, in the job's zone.
func fires(_ job: Job, schedule: Int = 0, after: Instant = friday, count: Int = 3) -> [String] {
    guard job.schedules.indices.contains(schedule) else { return [] }
    var times: [String] = []
    var last = after
    while times.count < count, let next = job.schedules[schedule].timetable.next(after: last) {
        times.append(next.rfc3339(in: job.zone))
        last = next
    }
    return times
}

/// The bytes of a file that the tests carry with them.
func fixture(_ name: String) throws -> [UInt8] {
    let path = fixtureFolder() + "/" + name
    guard case .bytes(let bytes) = try ConfigurationFile.load(path: path) else {
        Issue.record("no fixture at \(path)")
        return []
    }
    return bytes
}

/// The folder beside this file: the tests run where they were built.
private func fixtureFolder(file: String = #filePath) -> String {
    String(file[..<(file.lastIndex(of: "/") ?? file.startIndex)]) + "/Fixtures"
}

/// A folder of its own for each test, removed with everything in it.
func withScratchFolder(_ body: (String) throws -> Void) throws {
    let folder = try ScratchFolder()
    try body(folder.path)
}

func names(in folder: String) -> [String] { ScratchFolder.names(in: folder) }
