import Configuration
import Glibc
import JSON
import Schedules
import Scheduling

// What a large config.json costs: `config-bench [JOBS]` writes one of so many jobs (100,000), reads it as a starting
// daemon does, gives it to a core, and prints the time of each step with the resident memory after it.

/// glibc's, which its module for Swift does not show.
@_silgen_name("malloc_trim") @discardableResult
func trimHeap(_ pad: Int) -> Int32

/// Nobody has run anything yet.
final class EmptyRegister: ExecutionRegister {
    func isTaken(executionID: String) -> Bool { false }
}

/// A line of `/proc/self/status`, in MB.
func megabytes(_ key: String) -> Int {
    guard let file = fopen("/proc/self/status", "re") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, Int32(line.count), file) != nil {
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard text.hasPrefix(key + ":") else { continue }
        return (Int(text.filter(\.isNumber)) ?? 0) / 1024
    }
    return 0
}

func step<Result>(_ name: String, _ body: () throws -> Result) rethrows -> Result {
    let start = clock()
    let result = try body()
    // Of the processor: what else the machine does makes no difference.
    let took = (clock() - start) * 1_000 / CLOCKS_PER_SEC
    print("\(name): \(took) ms, resident \(megabytes("VmRSS")) MB, peak \(megabytes("VmHWM")) MB")
    return result
}

func fileText(jobs count: Int) -> [UInt8] {
    var text = "{\"schedules\": {\"timezone\": \"UTC\", \"jobs\": [\n"
    for number in 0..<count {
        let minute = number % 60
        let hour = number / 60 % 24
        text +=
            "{\"name\": \"job-\(number)\", \"cron\": \"\(minute) \(hour) * * *\", \"command\": [\"true\", \"\(number)\"]}"
        text += number + 1 < count ? ",\n" : "\n"
    }
    return Array((text + "]}}\n").utf8)
}

let count = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 100_000
let path = "/tmp/config-bench-\(getpid()).json"
defer { unlink(path) }
try FileReplacement.replace(path, with: fileText(jobs: count), isDurable: false)
trimHeap(0)

let now = Instant(seconds: 1_772_798_400)
let reader = ConfigurationReader(zones: ZoneDatabase(), home: "/", now: now)
print("\(count) jobs, \(MemoryLayout<Job>.stride) bytes a job; resident \(megabytes("VmRSS")) MB")
let configuration = try step("read") {
    guard case .bytes(let bytes) = try ConfigurationFile.load(path: path) else { return Configuration(timezone: .utc) }
    let outline = try step("  outline") { try ConfigurationFile.outline(bytes, path: path) }
    return try reader.read(outline: outline)
}
step("trim") { _ = trimHeap(0) }
let scheduler = step("core") {
    Scheduler(
        jobs: configuration.jobs, stored: StoredState(), settings: configuration.settings, isEnabled: true,
        register: EmptyRegister(), seed: 1, now: now)
}
step("trim") { _ = trimHeap(0) }
print("\(scheduler.jobCount) scheduled, \(configuration.refused.count) refused")
