import Client
import Contract
import EventLoop
import JSON
import Schedules

/// Reads what the screen is about: all of it when a daemon is there, and after each signal what that concerns, a burst
/// of them at once. It never starts a daemon.
///
/// What is learnt is handed over as changes of `TopFacts`. An answer of a daemon that has left meanwhile changes
/// nothing.
final class TopReader {
    /// How long more signals are waited for before something is read.
    static let burstUSec: UInt64 = 100_000
    /// How long after a fault of reading it is done once more.
    static let againUSec: UInt64 = 5_000_000
    /// Calls on their way at once, beside those that read jobs: a list of rows asks for one each.
    static let callsMax = 4
    /// Jobs that are asked why they are out of force; those of a whole configuration are not.
    static let pausesMax = 50

    /// How often it is asked at most how the daemon is, where nothing is heard.
    private static let statusUSec: UInt64 = 55_000_000

    typealias Change = (inout TopFacts) -> Void

    let client: Client
    let context: Context
    let runText: RunText
    let learn: (@escaping Change) -> Void
    private var subscriptions: [ClientSubscription] = []
    var burst: TimerSource?
    /// Of the daemon that is there; what belongs to another is dropped.
    var generation = 0
    var isHere = false
    var waiting = Waiting()
    var strips = Asked()
    var runs = Asked()
    var calls = 0

    /// What is to be read when the burst is over.
    struct Waiting {
        var all = false
        var status = false
        var names: Set<String> = []
        /// Jobs whose last runs are others now.
        var strips: Set<String> = []
        var isEmpty: Bool { !all && !status && names.isEmpty && strips.isEmpty }
    }

    /// What was asked for, so that it is not asked for twice.
    struct Asked {
        var queue: [String] = []
        var known: Set<String> = []

        mutating func add(_ names: [String]) {
            for name in names where known.insert(name).inserted { queue.append(name) }
        }
        mutating func addAnew(_ names: some Collection<String>) {
            known.subtract(names)
            add(names.sorted())
        }

        mutating func forget() { (queue, known) = ([], []) }
    }

    init(
        _ client: Client, _ context: Context, learn: @escaping (@escaping Change) -> Void
    ) throws(EventLoopError) {
        self.client = client
        self.context = context
        self.learn = learn
        runText = RunText(context)
        burst = try client.loop.timer(.monotonic) { [weak self] in self?.read() }
        subscriptions.append(client.subscribe { [weak self] in self?.heard($0) })
        subscriptions.append(client.watchPresence { [weak self] in self?.presenceChanged($0) })
    }

    // MARK: - What is heard

    private func presenceChanged(_ presence: Presence) {
        generation += 1
        (waiting, calls) = (Waiting(), 0)
        // What has been asked for is asked for anew when the jobs are known.
        strips.queue = []
        runs.forget()
        refused = nil
        isHere = presence.owner != nil
        guard isHere else {
            let now = context.now
            return learn { facts in
                if case .away = facts.link { return }
                facts.link = .away(since: now)
            }
        }
        waiting.all = true
        read()
    }

    private func heard(_ signal: DaemonSignal) {
        switch signal.member {
        case "JobStarted", "JobCompleted", "JobFailed", "JobRetrying", "JobMissed":
            guard let name = signal[0]?.text else { return }
            waiting.names.insert(name)
            if strips.known.contains(name) { waiting.strips.insert(name) }
            if let run = signal[1]?.text { runs.known.remove(run) }
        case "JobsChanged":
            waiting.names.formUnion(signal.values.flatMap { $0.texts ?? [] })
            waiting.status = true
        case "SchedulerToggled": waiting.all = true
        case "StatusChanged":
            // The clock may have been set, or a night have passed.
            waiting.all = true
        case "PropertiesChanged" where signal[1]?["ConfigurationError"] != nil: waiting.status = true
        case "PropertiesChanged" where signal[1]?["NextRun"]?.text != nil: onNextRunChanged?()
        default: return
        }
        arm(Self.burstUSec)
    }

    /// Called where the next fire time of all is another one: whose it was, the signal does not say.
    var onNextRunChanged: (() -> Void)?

    /// These jobs are read anew, soon.
    func stale(_ names: [String]) {
        waiting.names.formUnion(names)
        arm(Self.burstUSec)
    }

    /// Time passes on the screen anyway: how the daemon is, is asked now and then, because no signal tells of a store
    /// that went bad.
    func timePasses() {
        guard isHere, client.loop.now(.monotonic) >= statusAtUSec + Self.statusUSec else { return }
        waiting.status = true
        arm(Self.burstUSec)
    }

    /// These runs are read anew: nothing tells of their progress.
    func staleRuns(_ ids: [String]) {
        runs.addAnew(ids)
        ask()
    }

    /// The picture lacks these.
    func need(_ lacks: TopDrawing.Lacks) {
        guard isHere else { return }
        strips.add(lacks.strips)
        runs.add(lacks.runs)
        ask()
    }

    var isArmed = false
    var statusAtUSec: UInt64 = 0
    /// Jobs that could not be read and why, as of the last status; nil before it.
    var refused: [String: String]?

    func arm(_ usec: UInt64) {
        guard !isArmed, isHere, !waiting.isEmpty else { return }
        isArmed = true
        burst?.arm(atUSec: client.loop.now(.monotonic) + usec)
    }
}
