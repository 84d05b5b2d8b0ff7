public import EventLoop
internal import Schedules
internal import Scheduling
public import Store

/// One turn of the loop: decide, commit, perform.
///
/// An event goes in by `submit`, a request by `ask`; what the core decides about them gathers in the outbox, and at the
/// end of the turn it is performed in the one order that makes every promise durable before it is visible: one commit,
/// then stops and starts of processes, the machine, the timer, those who must know what is durable, what is told and
/// sent, and the replies.
///
/// ```swift
/// let engine = try Engine(loop: loop, log: log, store: store, source: settings, seed: seed)
/// let performers = Performers(
///     attempts: attempts, machine: machine, clocks: clocks, observers: [settings], sink: control)
/// engine.attach(performers)
/// try engine.prepareStart(origin)          // decides what the start means; nothing of it can be seen
/// engine.begin()                           // now it is performed
/// engine.submit(.tick)
/// engine.ask({ .skipRequested(job: "backup", ticket: $0) }) { settlement in print(settlement) }
/// ```
///
/// What it does while the store cannot be written is in `Engine+Outage.swift`; there is one way back, the start's.
public final class Engine {
    /// How the engine deals with a store that cannot be written.
    public struct Pace: Sendable {
        /// A commit is tried again so often.
        public var retryUSec: UInt64 = 100_000
        /// For so long; then requests are refused.
        public var patienceUSec: UInt64 = 3_000_000
        /// After that the store is tried so often, at first and at last.
        public var probeFirstUSec: UInt64 = 500_000
        public var probeLongestUSec: UInt64 = 8_000_000

        public init() {}
    }

    /// Who performs what was decided, and who must know of it.
    public struct Performers {
        public var attempts: any AttemptControl
        public var machine: any MachineControl
        public var clocks: any ClockSense
        public var observers: [any CommitObserver]
        public var sink: any AnnouncementSink
        /// Nil where nobody is sent anything.
        public var messages: (any MessageSending)?

        public init(
            attempts: any AttemptControl, machine: any MachineControl, clocks: any ClockSense,
            observers: [any CommitObserver], sink: any AnnouncementSink, messages: (any MessageSending)? = nil
        ) {
            self.attempts = attempts
            self.machine = machine
            self.clocks = clocks
            self.observers = observers
            self.sink = sink
            self.messages = messages
        }
    }

    /// The store's life, as the engine lives it.
    enum Phase {
        /// The start is decided, and nothing may be done yet: another daemon may have the name.
        case preparing
        /// The store takes what is committed.
        case working
        /// The transaction in the outbox cannot be committed now; what arrives meanwhile waits behind it, in order.
        case holding(Holding)
        /// It could not be for too long: requests are refused, and the core is as the store stands, not started.
        case refusing(Refusing)
    }

    struct Holding {
        var error: StoreError
        let untilUSec: UInt64
        /// Runs whose attempts are ended already because a client has asked for it: that is not refused any more.
        var stopped: Set<String> = []
        var arrivals: [Arrival] = []
    }

    struct Refusing {
        var error: StoreError
        /// Whether the core could be built from the store: else nothing but health is answered.
        var isReadable: Bool
        var probeDelayUSec: UInt64
        /// A transaction of which it is not known whether it is on record: the disk failed in its very last sync, and
        /// does not say. Those who asked for it are told nothing before that is known.
        var unsettled: Outbox?
    }

    /// What comes while a transaction is held.
    enum Arrival {
        case fact(Event)
        case request(Ticket, Event)
        case read(() -> Void)
    }

    let loop: EventLoop
    let log: Log
    let store: any Store
    let source: any CoreSource
    let pace: Pace
    private let seed: UInt64
    /// Every core draws ids of its own.
    private var coreCount: UInt64 = 0
    /// By the clock of the boot: the wall clock may be set meanwhile.
    private let startedBootUSec: UInt64

    var scheduler: Scheduler
    var phase = Phase.preparing
    var box = Outbox()
    /// Who waits for a reply.
    var calls: [Ticket: (Settlement) -> Void] = [:]
    var lastTicket: Ticket = 0
    /// The number of the last transaction.
    var turnNumber: Int64
    /// What was committed, and could not be told yet.
    var untold = UntoldRuns([])
    /// The last step that the clocks told of.
    var lastStep: ClockStep?
    /// Called where another daemon has taken the folder of the store: this one has nothing more to decide.
    public var onFolderLost: (StoreError) -> Void = { _ in }
    /// Called when it was decided about what runs wait for: what is seen of them changes without a commit.
    public var onConditions: () -> Void = {}
    /// Called when the core was built anew, and its first turn is on record.
    public var onRebuilt: () -> Void = {}
    /// Called when a turn is over, whatever came of it.
    public var onTurnEnd: () -> Void = {}

    private var attached: Performers?
    var flushSource: DeferredSource?
    /// What a flush itself leads to is decided in a turn after those of others that are ready.
    var nextTurnTimer: TimerSource?
    var isFlushing = false
    /// While what was decided is made visible or given up: not everybody who waits has an answer yet, whatever those
    /// who are told of it ask meanwhile.
    var isAnswering = false
    var timer: TimerSource?
    var storeTimer: TimerSource?

    /// Builds the core from the store as it stands. Nothing is decided yet.
    ///
    /// - Throws: where the store cannot be read.
    public init(
        loop: EventLoop, log: Log, store: any Store, source: any CoreSource, seed: UInt64, pace: Pace = Pace()
    ) throws(StoreError) {
        self.loop = loop
        self.log = log
        self.store = store
        self.source = source
        self.pace = pace
        self.seed = seed
        startedBootUSec = loop.now(.boottime)
        turnNumber = try store.lastTurn()
        let stored = try store.load()
        for sentence in stored.unreadable {
            log.error("what the store holds cannot be read", [("BOTCRON_ERROR", sentence)])
        }
        scheduler = Self.makeCore(
            source, stored, store, seed, now: Instant(microseconds: Int64(loop.now(.realtime))))
    }

    static func makeCore(
        _ source: any CoreSource, _ stored: StoredState, _ store: any Store, _ seed: UInt64, now: Instant
    ) -> Scheduler {
        let inputs = source.coreInputs(from: stored, now: now)
        return Scheduler(
            jobs: inputs.jobs, retained: inputs.retained, unscheduled: inputs.unscheduled, stored: inputs.stored,
            settings: inputs.settings, isEnabled: inputs.isEnabled, register: store, seed: seed, now: now)
    }

    func makeCore() throws(StoreError) -> Scheduler {
        coreCount += 1
        return Self.makeCore(source, try store.load(), store, seed &+ coreCount, now: now)
    }

    /// Says who performs. Once, before anything is decided.
    ///
    /// - Throws: where the loop has no room for the engine's sources.
    public func attach(_ performers: Performers) throws(EventLoopError) {
        attached = performers
        // The engine outlives its sources, which it owns.
        flushSource = try loop.deferred { [unowned self] in flush() }
        // As above.
        nextTurnTimer = try loop.timer(.monotonic, accuracyUSec: 1) { [unowned self] in flush() }
        // As above.
        timer = try loop.timer(.realtime, accuracyUSec: 1) { [unowned self] in submit(.tick) }
        // As above.
        storeTimer = try loop.timer(.monotonic, accuracyUSec: 1000) { [unowned self] in storeTimerEnded() }
    }

    var performers: Performers {
        guard let attached else { preconditionFailure("the engine was asked to decide before anybody could perform") }
        return attached
    }

    // MARK: - The start

    /// Decides what the start means. Nothing of it is performed before `begin`, and nothing of it remains without that.
    ///
    /// - Throws: where it cannot be known what became of the runs of an earlier daemon.
    public func prepareStart(bootID: String) throws(EvidenceError) {
        self.bootID = bootID
        handle(.started(try situation(.start)))
    }

    private var bootID = ""

    func situation(_ origin: Situation.Origin) throws(EvidenceError) -> Situation {
        let age = Duration.microseconds(Int64(loop.now(.boottime) - startedBootUSec))
        var situation = Situation(origin: origin, bootID: bootID, processStartedAt: now - age)
        let running = scheduler.activeRuns.filter { $0.status == .running }
        situation.evidence = try performers.attempts.evidence(of: running)
        situation.isAsleep = performers.machine.isAsleep
        situation.surroundings = performers.machine.surroundings
        return situation
    }

    /// From now on what is decided is performed.
    public func begin() {
        guard case .preparing = phase else { return }
        phase = .working
        recallUntold()
        flush()
    }

    // MARK: - Deciding

    /// One that was found out at the start is known to the core alone.
    public var clockStep: ClockStep? {
        lastStep ?? scheduler.clockSetBack.map { ClockStep(at: $0.at, by: .zero - $0.by) }
    }

    // MARK: - For those who end

    /// Whether a daemon that stops has nothing to wait for here.
    public var isSettled: Bool {
        guard !isAnswering else { return false }
        return switch phase {
        case .preparing, .refusing: true
        case .working: box.isEmpty
        case .holding: false
        }
    }

    /// The daemon ends. Whether a transaction that is still in doubt is on record is found out now, or by no one: then
    /// nobody is told that it is not.
    public func end() {
        guard case .refusing(let refusing) = phase, let unsettled = refusing.unsettled else { return }
        switch try? store.settle(turn: turnNumber + 1) {
        // The next daemon finds it there, and tells what is to be told.
        case true?: for (ticket, reply) in unsettled.replies { settle(ticket, .reply(reply)) }
        case false?: refuse(unsettled, refusing.error)
        case nil: for (ticket, _) in unsettled.replies { settle(ticket, .unknown) }
        }
    }

    /// Ends the turn at once, for a machine that does not wait: what is decided is committed now, or given up.
    public func settleNow() {
        flush()
        if case .holding = phase { giveUp() }
        guard case .working = phase else { return }
        loop.meter.exempting("checkpoint") {
            // A store that somebody else holds is not waited for: what is committed is safe as it is.
            try? store.checkpoint()
        }
    }
}
