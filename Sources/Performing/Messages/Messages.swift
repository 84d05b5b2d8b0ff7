internal import Configuration
public import Desktop
public import EventLoop
internal import Processes
internal import Schedules
public import Scheduling
public import Store

/// Messages on their way: gives each to its target, and tells the core what became of it.
///
/// A few of them a turn, because a target may be a file: each is a bounded piece of it. What is slow is somebody else's
/// (a program, the notification server), and is heard of later. Nothing is kept that the store does not have: a daemon
/// that dies sends again what it cannot know of.
public final class Messages: MessageSending {
    private enum Limits {
        /// Of one turn; then the others have theirs.
        static let turnUSec: UInt64 = 5_000
        /// Targets that are tried at a time: each may be a program.
        static let probes = 8
    }

    let loop: EventLoop
    let log: Log
    let settings: any MessageSettings
    let intake: any Intake & SchedulerReading
    let store: any Store
    let attempts: Attempts
    let desktop: DesktopMessages
    /// A run as clients read it: JSON on one line. Given by Control.
    public var runText: (Run) -> String = { _ in "null" }

    /// Those that nobody has looked at.
    private var queue: [Message] = []
    private var first = 0
    /// Those whose target has not answered.
    private var out: Set<String> = []
    private var step: DeferredSource?
    private var probes = 0
    private var isBegun = false
    /// Those that wait for a configuration that says where to.
    private var withheld: [Message] = []
    let programs: SendPrograms
    let gone: GoneTargets
    let heartbeats: Heartbeats

    public init(
        loop: EventLoop, log: Log, settings: any MessageSettings, intake: any Intake & SchedulerReading,
        store: any Store, attempts: Attempts, sessionBus: BusLink
    ) throws(EventLoopError) {
        self.loop = loop
        self.log = log
        self.settings = settings
        self.intake = intake
        self.store = store
        self.attempts = attempts
        desktop = DesktopMessages(
            loop: loop, log: log, intake: intake, store: store, attempts: attempts, link: sessionBus)
        programs = SendPrograms(loop: loop, environment: attempts.session.ownEnvironment)
        gone = GoneTargets(store: store)
        heartbeats = Heartbeats(loop: loop, log: log, settings: settings, programs: programs)
        // The source goes with its owner, this object.
        step = try loop.deferred { [unowned self] in sendSome() }
    }

    /// The session bus may be there from now on.
    public func begin() {
        desktop.begin()
        isBegun = true
        settingsChanged()
    }

    /// What waits for other settings is looked at again.
    public func settingsChanged() {
        guard isBegun else { return }
        heartbeats.review()
        queue += withheld
        withheld = []
        if first < queue.count { step?.schedule() }
    }

    public func send(_ message: Message) {
        guard out.insert(message.id).inserted else { return }
        queue.append(message)
        step?.schedule()
    }

    public func withdraw(run: String) {
        let isPast: (Message) -> Bool = { $0.occasion == .asked && $0.run == run }
        let past = queue[first...].filter(isPast) + withheld.filter(isPast)
        queue.removeSubrange(..<first)
        first = 0
        queue.removeAll(where: isPast)
        withheld.removeAll(where: isPast)
        for message in past { settle(message, .refused(MessageOutcome.past)) }
        desktop.withdraw(run: run)
    }

    private func sendSome() {
        let end = EventLoop.Clock.monotonic.nowUSec + Limits.turnUSec
        while first < queue.count {
            let message = queue[first]
            first += 1
            deliver(message)
            guard EventLoop.Clock.monotonic.nowUSec < end else { break }
        }
        if first < queue.count { return step?.schedule() ?? () }
        queue = []
        first = 0
    }

    private func deliver(_ message: Message) {
        if settings.targets.usable[message.target] == nil, settings.isWithheld(message.target) {
            return withheld.append(message)
        }
        // What is heard later is heard by this object, which owns who says it.
        deliver(message, isProbe: false) { [unowned self] outcome in settle(message, outcome) }
    }

    private func settle(_ message: Message, _ outcome: MessageOutcome) {
        guard out.remove(message.id) != nil else { return }
        switch outcome {
        case .sent, .refused(MessageOutcome.past): break
        case .failed(let why) where message.sendings + 1 < Scheduler.sendingLimit:
            log.debug("a message is sent again later", fields(of: message, why))
        case .failed(let why), .refused(let why):
            log.warning("a message was not sent", fields(of: message, why))
        }
        intake.submit(.messageSent(id: message.id, outcome))
    }

    private func fields(of message: Message, _ why: String) -> [(String, String)] {
        [
            ("BOTCRON_JOB", message.job), ("BOTCRON_EXECUTION_ID", message.run), ("BOTCRON_TARGET", message.target),
            ("BOTCRON_ERROR", why),
        ]
    }

    // MARK: - To one target

    /// Sends a message that is on no record, to see whether its target can be reached.
    public func probe(_ target: String, then: @escaping (MessageOutcome) -> Void) {
        let message = Message(
            id: "msg_test_\(EventLoop.Clock.realtime.nowUSec)", job: "", run: "", occasion: .success, target: target,
            title: "BotCron", text: "a message to try the target \(target)", createdAt: intake.now)
        guard probes < Limits.probes else {
            return then(.refused("\(Limits.probes) targets are being tried already"))
        }
        probes += 1
        // A person waits. What is heard later is heard by this object, which owns who says it.
        deliver(message, isProbe: true) { [unowned self] outcome in
            probes -= 1
            then(outcome)
        }
    }

    private func deliver(_ message: Message, isProbe: Bool, then: @escaping (MessageOutcome) -> Void) {
        if message.target == Message.heartbeatTarget, !isProbe { return beat(message, then: then) }
        guard let target = settings.targets.usable[message.target] else {
            let isWithheld = settings.isWithheld(message.target)
            let why =
                isWithheld ? Self.waitsForFile : settings.targets.faults[message.target] ?? "no target is called so"
            return then(.refused("\(message.target): \(why)"))
        }
        switch target {
        case .desktop:
            let patience: Duration = isProbe ? .seconds(5) : DesktopMessages.patience
            desktop.show(message, lastLine: lastLine(of: message), patience: patience, then: then)
        case .slack(let hook):
            let output = storedRun(message).map { lastLines(of: $0) } ?? ""
            let body = SlackText.body(of: message, output: output)
            send(message, to: hook, body, isSigned: false, isProbe: isProbe, then: then)
        case .webhook(let hook):
            let body = webHookBody(of: message, run: run(of: message))
            send(message, to: hook, body, isSigned: true, isProbe: isProbe, then: then)
        case .email(let mailbox): send(message, to: mailbox, isProbe: isProbe, then: then)
        case .toast: then(ToastFile(path: settings.toastPath).add(message, intake.zone(of: message.job)))
        case .memory(let directory):
            let zone = intake.zone(of: message.job)
            then(MemoryFile(directory: directory, zone: zone).append(message, section(of: message, zone)))
        case .command(let argv):
            attempts.tell(message, argv, input: "{\"message\": \(text(of: message)), \"run\": \(run(of: message))}\n") {
                then($0)
            }
        }
    }

    func storedRun(_ message: Message) -> Run? {
        message.run.isEmpty ? nil : try? store.run(id: message.run)
    }

    private func run(of message: Message) -> String { storedRun(message).map(runText) ?? "null" }

    private func lastLine(of message: Message) -> String? {
        guard let run = storedRun(message), run.attempt > 0 else { return nil }
        return attempts.outputExcerpt(of: run).lastLine
    }
}

extension SchedulerReading {
    /// In which a job's instants are shown.
    func zone(of job: String) -> TimeZoneRules { definition(of: job)?.zone ?? .utc }
}
