import Glibc
import JSON
import Schedules
import Scheduling
import Testing

@testable import Configuration

/// 2026-03-06 12:00 UTC: a Friday, 07:00 in New York, two days before its clocks go forward.
let friday = Instant(seconds: 1_772_798_400)

/// The system's zones on a machine whose own is UTC.
func testZones() -> ZoneDatabase {
    ZoneDatabase(directory: "/usr/share/zoneinfo", localtime: "/nonexistent", timeZoneVariable: nil)
}

func reader(now: Instant = friday, registrations: [String: Registration] = [:]) -> ConfigurationReader {
    ConfigurationReader(zones: testZones(), home: "/home/ada", now: now, registrations: registrations)
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
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? P_tmpdir
    var template = Array("\(parent)/botcron-test-XXXXXX".utf8CString)
    let made = template.withUnsafeMutableBufferPointer { buffer in
        buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
    }
    let folder = try #require(made)
    defer { remove(folder: folder) }
    try body(folder)
}

private func remove(folder: String) {
    for name in names(in: folder) {
        let path = folder + "/" + name
        if unlink(path) != 0 { remove(folder: path) }
    }
    rmdir(folder)
}

func names(in folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
}

/// The same numbers for the same seed, everywhere (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
