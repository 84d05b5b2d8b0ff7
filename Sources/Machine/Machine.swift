public import Desktop
public import EventLoop
public import Performing
public import Schedules
public import Scheduling

/// What the machine does to us, and what is wanted of it: sleep, clocks, the surroundings that runs wait for, alarms
/// that wake it, holding it awake.
///
/// ```swift
/// let machine = try Machine(systemBus: systemBus, sessionBus: sessionBus, loop: loop, log: log, home: home)
/// machine.begin(intake: engine, settle: { engine.settleNow() }, shutDown: { daemon.stop(because: $0) })
/// ```
public final class Machine {
    private let log: Log
    private let sleep: SleepSense
    private let clock: ClockWatch
    private let wakeAlarm: WakeAlarm
    private let surroundingsWatch: SurroundingsWatch

    public init(
        systemBus: BusLink, sessionBus: BusLink, loop: EventLoop, log: Log, home: String
    ) {
        self.log = log
        let login = LoginManager(systemBus, who: "BotCron", why: "Jobs are brought in order before the machine sleeps")
        sleep = SleepSense(login, systemBus, log)
        clock = ClockWatch(loop, log, login)
        wakeAlarm = WakeAlarm(loop, log)
        surroundingsWatch = SurroundingsWatch(systemBus: systemBus, session: sessionBus, loop: loop, home: home)
    }

    /// Hears and tells from now on.
    ///
    /// - Parameters:
    ///   - settle: brings what is decided to the disk at once, because the machine does not wait.
    ///   - shutDown: ends the daemon, with a reason.
    public func begin(
        intake: any Intake, settle: @escaping () -> Void, shutDown: @escaping (_ reason: String) -> Void
    ) throws(EventLoopError) {
        sleep.begin(intake: intake, settle: settle, shutDown: shutDown)
        try clock.begin(intake: intake)
        surroundingsWatch.onChange = { [log] surroundings in
            log.debug("the surroundings are known", [("BOTCRON_FACTS", "\(surroundings.answered.count)")])
            intake.submit(.surroundingsChanged(surroundings))
        }
    }

    /// Connects to the system bus: nothing of it is needed before the daemon is ready.
    public func connect() { sleep.connect() }

    // MARK: - What is seen

    public var isWatchingSleep: Bool { sleep.login.isWatching }
    public var holdsSleepLock: Bool { sleep.login.holdsSleepLock }
    /// Why the machine cannot be woken for jobs; nil where it can.
    public var wakeFault: String? { wakeAlarm.fault }
}

extension Machine: MachineControl {
    public var isAsleep: Bool { sleep.login.isAsleep }
    public var surroundings: Surroundings { surroundingsWatch.surroundings }

    public func fulfil(_ wish: MachineWish) {
        switch wish {
        case .watch(let watch): surroundingsWatch.watch(watch)
        case .holdAwake(let runs): sleep.holdAwake(runs)
        case .armWakeUp(let instant): wakeAlarm.arm(instant)
        case .sleepAgain(let since): sleep.sleepAgain(unlessUsedSince: since)
        }
    }
}

extension Machine: ClockSense {
    public func noticed() -> [Event] { clock.noticed() }
    public func armed(for instant: Instant?, now: Instant) { clock.armed(for: instant, now: now) }
}
