import Schedules
import Scheduling

/// What a simulation comes to, job by job: how often each runs and is caught up, and what is missed of it, and why.
struct SimulationSummary {
    private struct Sum {
        var runs = 0
        var caughtUp = 0
        /// Fire times that those runs stand for.
        var covered = 0
        var missed: [Run.Reason: Int] = [:]
        var first: Instant?
        var last: Instant?
    }

    private var sums: [String: Sum] = [:]
    private let names: [String]

    /// - Parameter names: all jobs; one that nothing becomes of is one to know of, too.
    init(_ outcomes: [Simulation.Outcome], _ names: [String]) {
        self.names = names.sorted()
        for outcome in outcomes {
            var sum = sums[outcome.job] ?? Sum()
            switch outcome.fate {
            case .run: sum.runs += 1
            case .catchUp(let count): (sum.caughtUp, sum.covered) = (sum.caughtUp + 1, sum.covered + count)
            case .missed(let reason, let count): sum.missed[reason, default: 0] += count
            }
            if case .missed = outcome.fate {} else { (sum.first, sum.last) = (sum.first ?? outcome.at, outcome.at) }
            sums[outcome.job] = sum
        }
    }

    func table(_ context: Context) -> Table {
        var table = Table("JOB", "RUNS", "FIRST", "LAST", "BESIDE THAT", details: ["LAST", "FIRST"])
        for name in names {
            let sum = sums[name] ?? Sum()
            func time(_ instant: Instant?) -> String {
                instant.map { TimeText.absolute($0, in: context.zone) } ?? ""
            }
            table.add([
                .init(name, isWhole: true), .init("\(sum.runs + sum.caughtUp)"), .init(time(sum.first)),
                .init(sum.first == sum.last ? "" : time(sum.last)), .init(Self.words(sum), Self.style(sum)),
            ])
        }
        return table
    }

    private static func words(_ sum: Sum) -> String {
        var parts: [String] = []
        if sum.caughtUp > 0 {
            parts.append("\(sum.caughtUp) to catch up" + (sum.covered > sum.caughtUp ? " with \(sum.covered)" : ""))
        }
        for (reason, count) in sum.missed.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            parts.append("\(count) missed: \(reason.rawValue)")
        }
        if parts.isEmpty, sum.runs == 0 { parts.append("nothing starts it") }
        return parts.joined(separator: ", ")
    }

    private static func style(_ sum: Sum) -> Style? { sum.missed.isEmpty ? nil : .warning }
}
