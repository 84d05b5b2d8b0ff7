import Glibc
import Schedules
import Scheduling

// simulator SEEDS DAYS [FIRST-SEED]: simulates so many worlds for so many days each; status 1 and the first failure's
// seed and trace where the scheduler broke a promise.

let arguments = CommandLine.arguments.dropFirst().map { Int($0) ?? 0 }
let seedCount = arguments.count > 0 ? arguments[0] : 100
let days = arguments.count > 1 ? arguments[1] : 30
let firstSeed = arguments.count > 2 ? arguments[2] : 1

func seconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// The same world again, with a trace of what concerns the job that failed.
func explain(_ seed: Int) {
    let world = World(seed: UInt64(seed), isTracing: true)
    _ = world.run(days: days)
    guard let fault = world.checker.faults.first else { return print("seed \(seed) does not fail again") }
    print("seed \(seed), \(days) days: \(fault.text)")
    for other in world.checker.faults.dropFirst().prefix(3) { print("also: \(other.text)") }
    if let job = fault.definition { print("job: \(job)") }
    let lines = world.trace.filter { line in
        fault.job.isEmpty || line.contains(fault.job) || line.contains("daemon") || line.contains("clock is")
            || line.contains("machine") || line.contains("reload") || line.contains("Toggled") || line.contains("wake")
    }
    let count = arguments.count > 3 ? arguments[3] : 60
    // What led to it: the lines before the fire time's fate, or the last ones.
    let edge =
        fault.fire.flatMap { fire in lines.firstIndex { $0 > (fire + .seconds(7200)).rfc3339(in: .utc) } }
        ?? lines.count
    for line in lines[..<min(lines.count, edge + count / 2)].suffix(count) { print(line) }
}

let begin = seconds()
var events = 0
var ticks = 0
var fires = 0
var expected = 0
var messages = 0
for seed in firstSeed..<firstSeed + seedCount {
    let world = World(seed: UInt64(seed))
    guard world.run(days: days) else {
        explain(seed)
        exit(1)
    }
    events += world.eventCount
    ticks += world.tickCount
    expected += world.expectedCount
    fires += world.checker.fireTimeCount
    messages += world.mailbox.count
}
let took = seconds() - begin
let years = Double(seedCount * days) / 365.25
print(
    "\(seedCount) seeds of \(days) days: \(fires) fire times (\(expected) starts foreseen), \(messages) messages, "
        + "\(events) events, \(ticks) wake-ups, \(Int(took * 1000)) ms, \(Int(years / took * 100) / 100).\(Int(years / took * 100) % 100) years/s"
)
