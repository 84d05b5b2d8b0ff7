import Desktop
import EventLoop
import Performing
import Schedules
import Scheduling

/// The machine's sleep and shutdown as logind tells them, and what holds them off.
final class SleepSense {
    let login: LoginManager
    private let systemBus: BusLink
    private let log: Log
    /// Runs for which the machine is kept awake, and those for which that was refused.
    private var awake: Set<String> = []
    private var refused: Set<String> = []

    init(_ login: LoginManager, _ systemBus: BusLink, _ log: Log) {
        self.login = login
        self.systemBus = systemBus
        self.log = log
    }

    func begin(intake: any Intake, settle: @escaping () -> Void, shutDown: @escaping (String) -> Void) {
        let (log, login) = (log, login)
        // logind's face is what calls these: it is there then.
        login.onSleep = { [unowned login] in
            log.info("the machine goes to sleep")
            intake.submit(.sleep)
            settle()
            login.releaseSleepLock()
        }
        login.onWake = {
            log.info("the machine is awake")
            intake.submit(.wake)
        }
        // As above.
        login.onShutdown = { [unowned login] in
            shutDown("the machine shuts down")
            settle()
            login.releaseShutdownLock()
        }
        // This object owns logind's face.
        login.onRefusal = { [unowned self] run, reason in
            guard refused.insert(run).inserted else { return }
            log.warning(
                "the machine cannot be kept awake for a run; it runs all the same",
                [("BOTCRON_EXECUTION_ID", run), ("BOTCRON_REASON", reason)])
            intake.submit(.caveat(run: run, "the machine could not be kept awake: \(reason)"))
        }
        let tell = { sentence in
            log.info("the system's services come and go", [("BOTCRON_FACT", sentence)])
        }
        login.onChange = tell
        systemBus.onChange = tell
    }

    func connect() { systemBus.connect() }

    func holdAwake(_ runs: [AwakeRun]) {
        let wanted = Set(runs.map(\.run))
        for run in awake.subtracting(wanted) { login.letSleep(for: run) }
        for run in runs where !awake.contains(run.run) {
            login.keepAwake(for: run.run, why: "The job \(run.job) runs and wants the machine awake")
        }
        awake = wanted
        refused.formIntersection(wanted)
    }

    func sleepAgain(unlessUsedSince since: Instant) {
        let log = log
        login.suspend(unlessUsedSince: UInt64(max(0, since.microseconds))) { reason in
            if let reason {
                log.info("the machine stays awake after the runs that it was woken for", [("BOTCRON_REASON", reason)])
            } else {
                log.info("the machine goes to sleep again after the runs that it was woken for")
            }
        }
    }
}
