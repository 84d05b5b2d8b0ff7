import Schedules
import Scheduling

/// What the scheduler says that it will start, against what it starts.
extension World {
    /// Of a tick that comes alone and when it is due: whatever else happens may change what is to be run.
    func expectedRuns(_ scheduler: Scheduler, _ events: [Event]) -> [ExpectedRun] {
        guard events.count == 1, case .tick = events[0] else { return [] }
        return scheduler.expectedRuns(atMost: 4).filter { $0.due <= now && now < $0.due + .milliseconds(500) }
    }

    func checkExpected(_ expected: [ExpectedRun], started: [Effect], _ scheduler: Scheduler) {
        guard !expected.isEmpty else { return }
        var launches: [String: Launch] = [:]
        for case .start(let launch) in started { launches[launch.run.id] = launch }
        for run in expected {
            expectedCount += 1
            if let launch = launches[run.id] {
                guard launch.job != run.job || launch.run.attempt != 1 else { continue }
                checker.fail("\(run.id) starts with another definition than was expected", job: run.job.name)
            } else {
                // What was due with it may have had the place, or what was left of the budget over all.
                let isFull = scheduler.runningCount >= scheduler.settings.maxConcurrentRuns
                let settings = scheduler.settings
                guard !isFull, settings.launchesPerMinute == nil, settings.budget.isUnlimited else { continue }
                checker.fail("\(run.id) was expected and does not start", job: run.job.name)
            }
        }
    }
}
