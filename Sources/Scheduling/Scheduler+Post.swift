import Schedules

/// Messages on their way: when each is sent, what becomes of it, and how many may wait.
///
/// One that is not settled is in the store as `pending`. It is given to whoever sends it after the commit, and what
/// became of it comes back as an event; a daemon that dies in between sends it again, with the same id.
extension Scheduler {
    /// After a sending that failed the next one comes so much later; after the last of them none.
    static var sendingDelays: [Duration] { [.seconds(5), .seconds(30), .seconds(300)] }
    /// So many messages are sent to one target within a minute; what is beyond becomes one.
    public static var messagesPerMinute: Int { 30 }
    /// So often a message is sent.
    public static var sendingLimit: Int { sendingDelays.count + 1 }

    func post(_ message: Message, now: Instant) {
        if post.active.count >= Limits.waitingMessages, let oldest = post.popExpendable() {
            settle(oldest, .failed, "it gave way to newer messages: \(Limits.waitingMessages) waited to be sent")
        }
        let active = post.add(message)
        touch(active)
        if message.isHeartbeat { supersede(by: active) }
        post.ready.append(active)
    }

    func touch(_ active: ActiveMessage) {
        guard !active.isTouched else { return }
        active.isTouched = true
        turn.messages.append(active)
    }

    // MARK: - Sending

    /// Gives to their targets what may be sent now.
    func sendReady(now: Instant) {
        guard !post.ready.isEmpty, !isAsleep, !isStopping else { return }
        let ready = post.ready
        post.ready = []
        var free: [ActiveMessage] = []
        var delayed: [String: [ActiveMessage]] = [:]
        for active in ready where !active.isSettled && !active.isOut {
            if isPast(active.message) {
                settle(active, .failed, MessageOutcome.past)
            } else if let end = quietEnd(of: active, now: now) {
                active.isDelayed = true
                wait(active, until: end)
            } else if active.isDelayed, active.isLoose, !settings.logTargets.contains(active.message.target) {
                delayed[active.message.target, default: []].append(active)
            } else {
                free.append(active)
            }
        }
        for target in delayed.keys.sorted() {
            guard let members = delayed[target] else { continue }
            free.append(members.count > 1 ? gather(members, now: now) : members[0])
        }
        for active in free.sorted(by: { $0.sequence < $1.sequence }) { send(active, now: now) }
    }

    private func send(_ active: ActiveMessage, now: Instant) {
        let target = active.message.target
        if !settings.fileTargets.contains(target), !active.message.isHeartbeat {
            var recent = post.recent[target] ?? []
            recent.removeAll { $0 <= now - .seconds(60) }
            guard recent.count < Self.messagesPerMinute else {
                post.recent[target] = recent
                active.isDelayed = true
                return wait(active, until: recent[0] + .seconds(60))
            }
            post.recent[target] = recent + [now]
        }
        active.isOut = true
        turn.sendings.append(.send(active.message))
    }

    private func wait(_ active: ActiveMessage, until instant: Instant) {
        let number = active.timer ?? own(.message(active))
        active.timer = number
        timers.arm(number, at: instant)
    }

    /// The instant that a message has waited for has come.
    func makeReady(_ active: ActiveMessage) {
        if let number = active.timer {
            active.timer = nil
            disown(number)
        }
        post.ready.append(active)
    }

    /// When a message that was never sent may be; nil: now. What asks a person does not wait.
    private func quietEnd(of active: ActiveMessage, now: Instant) -> Instant? {
        guard active.isLoose else { return nil }
        let job = jobs[active.message.job]?.job
        guard let hours = job?.quietHours ?? settings.quietHours, let zone = job?.zone ?? settings.zone else {
            return nil
        }
        return hours.end(at: now, in: zone)
    }

    /// Several that had to wait become one, which tells of all of them.
    private func gather(_ members: [ActiveMessage], now: Instant) -> ActiveMessage {
        let messages = members.map(\.message)
        let newest = messages[messages.count - 1]
        let occasion = Message.Occasion.allCases.first { word in messages.contains { $0.occasion == word } }
        let isOneJob = messages.allSatisfy { $0.job == newest.job }
        let wording = Wording.gathered(messages)
        let run = messages.last { !$0.run.isEmpty }?.run ?? ""
        let message = Message(
            id: random.nextMessageID(), job: isOneJob ? newest.job : "", run: run,
            occasion: occasion ?? newest.occasion, target: newest.target, title: wording.title, text: wording.text,
            createdAt: now)
        let active = post.add(message)
        active.gathered = members
        touch(active)
        for member in members {
            member.message.gatheredIn = message.id
            member.isOut = true
            touch(member)
        }
        return active
    }

    // MARK: - What became of it

    /// What is not under way is not settled twice: repetitions are ignored.
    func messageSent(_ id: String, _ outcome: MessageOutcome, now: Instant) {
        guard let active = post.active[id], active.isOut, active.message.gatheredIn == nil else { return }
        active.isOut = false
        active.message.sendings += 1
        touch(active)
        switch outcome {
        case .sent: settle(active, .sent, nil)
        case .refused(let why): settle(active, .failed, why)
        case .failed(let why):
            guard active.message.sendings <= Self.sendingDelays.count else { return settle(active, .failed, why) }
            guard !isPast(active.message) else { return settle(active, .failed, MessageOutcome.past) }
            active.message.fault = why
            let next = now + Self.sendingDelays[active.message.sendings - 1]
            active.message.nextAt = next
            wait(active, until: next)
        }
    }

    /// Whether it asks for what nobody waits for any more. A question is told at once: what was decided before another
    /// one was asked is not that one's.
    private func isPast(_ message: Message) -> Bool {
        guard message.occasion == .asked else { return false }
        guard let question = runs[message.run]?.run.openQuestion else { return true }
        return message.createdAt < question.askedAt
    }

    /// A question is over. What is under way is for whoever sends it to say.
    func withdrawMessages(askingFor run: String) {
        turn.sendings.append(.withdraw(run: run))
        let asking = post.active.values.filter { $0.message.occasion == .asked && $0.message.run == run && !$0.isOut }
        for active in asking.sorted(by: { $0.sequence < $1.sequence }) {
            settle(active, .failed, MessageOutcome.past)
        }
    }

    func settle(_ active: ActiveMessage, _ state: Message.State, _ fault: String?) {
        guard !active.isSettled else { return }
        active.isSettled = true
        if let number = active.timer {
            active.timer = nil
            disown(number)
        }
        active.message.state = state
        active.message.fault = fault
        active.message.nextAt = nil
        post.active[active.message.id] = nil
        forgetHeartbeat(active)
        touch(active)
        for member in active.gathered { settle(member, state, fault) }
        active.gathered = []
    }

    // MARK: - What changes under them

    /// Takes up what another daemon, or an earlier core, has left.
    func restorePost(_ stored: [Message], now: Instant) {
        var carriers: [String: [ActiveMessage]] = [:]
        for message in stored {
            let active = post.add(message)
            if message.isHeartbeat { supersede(by: active) }
            if let carrier = message.gatheredIn {
                carriers[carrier, default: []].append(active)
            } else if let next = message.nextAt, next > now {
                // The clock that named the instant may have been far ahead.
                wait(active, until: min(next, now + (Self.sendingDelays.last ?? .zero)))
            } else {
                post.ready.append(active)
            }
        }
        for (id, members) in carriers.sorted(by: { $0.key < $1.key }) {
            guard let carrier = post.active[id] else {
                // No version writes that: they go by themselves.
                for member in members {
                    member.message.gatheredIn = nil
                    post.ready.append(member)
                }
                continue
            }
            for member in members { member.isOut = true }
            carrier.gathered = members
        }
    }

    /// The clock was set: what waits for its next sending moves with it, what waits for a time of day is looked at
    /// anew.
    func postMoved(by step: Duration) {
        guard !post.active.isEmpty || !post.recent.isEmpty else { return }
        post.recent = post.recent.mapValues { $0.map { $0 + step } }
        for active in post.active.values.sorted(by: { $0.sequence < $1.sequence }) where active.timer != nil {
            guard let next = active.message.nextAt else {
                makeReady(active)
                continue
            }
            active.message.nextAt = next + step
            touch(active)
            wait(active, until: next + step)
        }
    }

    /// Quiet hours may be others now.
    func reviewPost() {
        for active in post.active.values.sorted(by: { $0.sequence < $1.sequence })
        where active.timer != nil && active.message.nextAt == nil {
            makeReady(active)
        }
    }

    /// How many messages are not settled.
    public var waitingMessages: Int { post.active.count }
}
