import Schedules
import Scheduling
import StoreModel

/// Whoever is sent messages, and what must hold of them: each is on record before it is sent, is sent until it is
/// settled, and a target is not overrun.
final class Mailbox {
    /// Those that this daemon was given and has not answered for.
    private var out: Set<String> = []
    /// When messages went to a target that is no file, in the last minute of this daemon's.
    private var recent: [String: [Int64]] = [:]
    private var outcomes: [String: MessageOutcome] = [:]
    private(set) var count = 0
    private(set) var endings = 0

    /// Another daemon, or another scheduler: it knows of nothing that was under way.
    func begin() {
        out = []
        recent = [:]
    }

    /// - Returns: what is wrong.
    func receive(_ message: Message, _ store: LossyStore, elapsed: Int64) -> String? {
        count += 1
        guard let known = store.post.messages[message.id] else { return "\(message.id) is sent, and not on record" }
        if known.state != .waiting { return "\(message.id) is sent, and was settled" }
        let isOfJob = message.run.isEmpty && message.occasion == .late
        if store.runs[message.run] == nil, !isOfJob { return "\(message.id) is sent about no run on record" }
        if message.occasion == .asked, store.runs[message.run]?.openQuestion == nil {
            return "\(message.id) asks for \(message.run), whose question is over"
        }
        if !out.insert(message.id).inserted { return "\(message.id) is sent while it is on its way" }
        guard !["memory", "toast"].contains(message.target) else { return nil }
        var times = recent[message.target, default: []]
        times.removeAll { $0 <= elapsed - 60_000_000 }
        times.append(elapsed)
        recent[message.target] = times
        if times.count > Scheduler.messagesPerMinute { return "\(message.target) is sent \(times.count) in a minute" }
        return nil
    }

    func answered(_ id: String, _ outcome: MessageOutcome) {
        out.remove(id)
        outcomes[id] = outcome
    }

    /// Of an end each target hears once at most, and what is true; and of a failure it hears where that was always
    /// wanted.
    ///
    /// - Parameter isAlwaysTold: whether every definition of a job has left it to the section whom to tell.
    /// - Returns: what is wrong.
    func observe(
        _ changes: [StoreChange], _ store: LossyStore, target: String?, isAlwaysTold: (String) -> Bool
    ) -> String? {
        var ends: [String: Run] = [:]
        var told: [String: [Message]] = [:]
        let carriers = Set(
            changes.compactMap { if case .message(let message) = $0 { message.gatheredIn } else { nil } })
        for change in changes {
            switch change {
            case .run(let run) where !run.status.isActive && run.status.isExecuted:
                if store.runs[run.id]?.status.isActive ?? true { ends[run.id] = run }
            case .message(let message) where store.post.messages[message.id] == nil && !carriers.contains(message.id):
                told[message.run, default: []].append(message)
            default: break
            }
        }
        for (id, messages) in told {
            let run = ends[id]
            let isFailed = run.map { $0.status.isFailure && $0.status != .cancelled } ?? false
            var targets: Set<String> = []
            for message in Dictionary(messages.map { ($0.id, $0) }, uniquingKeysWith: { $1 }).values {
                let isTrue =
                    switch message.occasion {
                    case .success, .changed, .recovered: run?.status == .success
                    case .failure, .firstFailure: isFailed
                    default: true
                    }
                if !isTrue { return "\(message.id) says \(message.occasion) of \(id), which is not so" }
                guard [.success, .changed, .recovered, .failure, .firstFailure].contains(message.occasion) else {
                    continue
                }
                endings += 1
                if !targets.insert(message.target).inserted { return "\(message.target) is told twice of \(id)" }
            }
        }
        guard let target else { return nil }
        for run in ends.values
        where run.status.isFailure && run.status != .cancelled && isAlwaysTold(run.job)
            && !told[run.id, default: []].contains(where: { $0.target == target })
        {
            return "\(target) is not told that \(run.id) has failed"
        }
        return nil
    }

    /// - Parameter isCalm: whether all has had its time.
    func finish(_ store: LossyStore, isCalm: Bool) -> String? {
        for message in store.post.all {
            switch message.state {
            case .sent where message.gatheredIn == nil && outcomes[message.id] != .sent:
                return "\(message.id) is sent by its record, and was not"
            case .sent:
                guard let carrier = message.gatheredIn, outcomes[carrier] != .sent else { continue }
                return "\(message.id) is sent by its record, and \(carrier) was not"
            case .failed where message.fault == nil: return "\(message.id) has failed, and nobody says why"
            case .waiting where message.sendings > Scheduler.sendingLimit:
                return "\(message.id) was sent \(message.sendings) times"
            case .waiting, .failed: continue
            }
        }
        let waiting = store.post.waiting.count
        return waiting > Scheduler.Limits.waitingMessages ? "\(waiting) messages wait" : nil
    }
}

extension World {
    func receive(_ message: Message) {
        if let fault = mailbox.receive(message, store, elapsed: elapsed) {
            return checker.fail(fault, job: message.job)
        }
        let outcome: MessageOutcome =
            switch random.below(8) {
            case 0, 1: .failed("nobody listens")
            case 2: .refused("nobody is there")
            default: .sent
            }
        answers.append((elapsed + Int64(random.below(60_000_000)), .messageSent(id: message.id, outcome)))
    }
}
