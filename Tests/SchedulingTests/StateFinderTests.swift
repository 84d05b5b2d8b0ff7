import Schedules
import TestSupport
import Testing

@testable import Scheduling

@Suite struct StateFinderTests {
    /// Whatever is asked for in whatever order, the answer is that of a table.
    @Test func anyOrderFindsWhatATableFinds() {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        for count in [0, 1, 2, 7, 40] {
            let names = (0..<count).map { "job-\($0)" }
            let states = names.map { JobState(job: $0, scheduleKey: "", registeredAt: .epoch, decidedThrough: .epoch) }
            for order in 0..<20 {
                var finder = StateFinder(states)
                var asked = names + ["none", ""]
                if order > 0 { asked = (asked + names).shuffled(using: &random) }
                for name in asked {
                    #expect(
                        finder.place(of: name) == names.firstIndex(of: name), "seed \(seed): \(name) of \(count)")
                }
            }
        }
    }
}
