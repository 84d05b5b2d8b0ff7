import Desktop
import EventLoop
import Performing
import Schedules
import Scheduling

/// Looks whether the clocks tell of something that nobody told, before anything else is decided: at each wake-up of the
/// loop that leads to a decision, so without one of its own.
final class ClockWatch {
    private let loop: EventLoop
    private let log: Log
    private let login: LoginManager
    private var clocks: ClockComparison
    private var change: EventSource?

    init(_ loop: EventLoop, _ log: Log, _ login: LoginManager) {
        self.loop = loop
        self.log = log
        self.login = login
        clocks = ClockComparison(ClockComparison.Reading(loop))
    }

    /// Hears of a clock that is set, too.
    func begin(intake: any Intake) throws(EventLoopError) {
        // The source goes with its owner, this object.
        change = try loop.clockChange { [unowned self] in
            for event in noticed(isClockSet: true) { intake.submit(event) }
        }
    }

    func armed(for instant: Instant?, now: Instant) {
        clocks.arm(dueUSec: instant?.microseconds, nowUSec: now.microseconds)
    }

    func noticed(isClockSet: Bool = false) -> [Event] {
        guard let finding = clocks.compare(ClockComparison.Reading(loop), isSet: isClockSet) else { return [] }
        // A sleep that logind announced ends when logind says so; should it have forgotten, it is asked.
        let isSleep = finding.lostUSec > 0 && !login.isAsleep
        if finding.lostUSec > 0, login.isAsleep { login.askHowItIs() }
        var events: [Event] = []
        if isSleep {
            log.info(
                "nothing ran for a while, and nobody said so: this is taken for a sleep of the machine",
                [("BOTCRON_SECONDS", seconds(finding.lostUSec)), ("BOTCRON_EVIDENCE", finding.evidence)])
            events.append(.sleep)
        }
        if finding.stepUSec != 0 {
            log.info("the clock was set", [("BOTCRON_STEP_SECONDS", seconds(finding.stepUSec))])
            events.append(.clockChanged(by: .microseconds(finding.stepUSec)))
        }
        if isSleep { events.append(.wake) }
        return events
    }

    private func seconds(_ usec: Int64) -> String { "\(Double(usec) / 1e6)" }
}
