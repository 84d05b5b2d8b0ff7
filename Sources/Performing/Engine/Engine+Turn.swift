internal import EventLoop
internal import Schedules
public import Scheduling
internal import Store

/// A turn: what comes in is decided, what was decided is committed, and then performed.
extension Engine {
    func makeTicket(_ then: @escaping (Settlement) -> Void) -> Ticket {
        lastTicket += 1
        calls[lastTicket] = then
        return lastTicket
    }

    func decide(_ event: Event) {
        for noticed in performers.clocks.noticed() { handle(noticed) }
        handle(event)
    }

    func handle(_ event: Event) {
        if case .clockChanged(let step) = event { lastStep = ClockStep(at: now, by: step) }
        box.add(event, scheduler.handle(event, at: now))
        if let name = loop.meter.exemption { box.exemption = name }
        switch event {
        case .surroundingsChanged, .conditionChecked, .polled: onConditions()
        default: break
        }
        flushSoon()
    }

    private func flushSoon() {
        // A deferred source that schedules itself goes before everything else that is ready.
        if isFlushing { nextTurnTimer?.arm(atUSec: loop.now(.monotonic)) } else { flushSource?.schedule() }
    }

    // MARK: - Performing

    /// Performs what gathered in this turn: one transaction, then what it makes visible. What that leads to is the next
    /// turn's, so that no attempt that fails at once keeps the loop.
    func flush() {
        guard case .working = phase, !box.isEmpty, !isFlushing else { return }
        isFlushing = true
        defer { isFlushing = false }
        if let name = box.exemption { loop.meter.exempting(name) { endTurn() } } else { endTurn() }
    }

    private func endTurn() {
        settleBox()
        performers.attempts.endIdleErrands()
        performers.sink.turnEnded()
        onTurnEnd()
    }

    func settleBox() {
        guard !box.isEmpty else { return }
        if let error = commit() { couldNotCommit(error) } else { performBox() }
    }

    /// - Returns: why everything in the outbox has to stay invisible; nil where it is durable.
    func commit() -> StoreError? {
        guard !box.changes.isEmpty else { return nil }
        // Its folder is the evidence that an attempt which is on record has not begun.
        performers.attempts.claim(box.launches)
        let untold = untold.adding(box.announcements)
        do throws(StoreError) {
            try commit(untold: untold.text)
        } catch {
            return error
        }
        self.untold = untold
        committed()
        return nil
    }

    private func commit(untold: String?) throws(StoreError) {
        var failure: StoreError?
        loop.meter.waiting("sync") {
            do throws(StoreError) {
                try store.commit(box.changes, untold: untold, turn: turnNumber + 1)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    func committed() {
        turnNumber += 1
        scheduler.didCommit()
    }

    func performBox() {
        let done = box
        box = Outbox()
        let performers = performers
        let wasAnswering = isAnswering
        isAnswering = true
        defer { isAnswering = wasAnswering }
        for run in done.stops { performers.attempts.stop(run) }
        performers.attempts.start(done.launches)
        // One that a later event of this turn ends.
        let started = Set(done.launches.map(\.run.id))
        for run in done.stops where started.contains(run) { performers.attempts.stop(run) }
        for answer in done.answers {
            performers.attempts.answer(
                answer.run, attempt: answer.attempt, question: answer.question, answer.line)
        }
        for check in done.checks { performers.attempts.check(run: check.run, command: check.command, job: check.job) }
        for poll in done.polls { performers.attempts.poll(poll.subject, command: poll.command, job: poll.job) }
        for wish in done.wishes { performers.machine.fulfil(wish) }
        if case .at(let instant) = done.arming { arm(instant) }
        if !done.changes.isEmpty { for observer in performers.observers { observer.committed(done.changes) } }
        tell(done.announcements)
        for sending in done.sendings {
            switch sending {
            case .send(let message): performers.messages?.send(message)
            case .withdraw(let run): performers.messages?.withdraw(run: run)
            }
        }
        for (ticket, reply) in done.replies { settle(ticket, .reply(reply)) }
        answer(done.reads)
    }

    /// Those who waited for what is durable by now; of many who take long, the rest in the next turn.
    func answer(_ reads: [() -> Void]) {
        var rest = reads[...]
        while let read = rest.popFirst() {
            read()
            guard loop.meter.turnUSec < TurnMeter.turnUSecMany || loop.meter.exemption != nil else { break }
        }
        guard !rest.isEmpty else { return }
        box.reads = Array(rest) + box.reads
        flushSoon()
    }

    func settle(_ ticket: Ticket, _ settlement: Settlement) { calls.removeValue(forKey: ticket)?(settlement) }

    private func arm(_ instant: Instant?) {
        performers.clocks.armed(for: instant, now: now)
        performers.attempts.expect(instant)
        guard let instant else {
            timer?.disarm()
            return
        }
        timer?.arm(atUSec: UInt64(max(0, instant.microseconds)))
    }

    // MARK: - Telling

    /// The store forgets that this is still to be told when all is ready to be sent, and right before it is: whoever
    /// hears a signal may kill the daemon for it, and a signal must not come twice. What is left is a kill within the
    /// microseconds of sending, after which a signal is missing.
    private func tell(_ announcements: [Announcement]) {
        guard !announcements.isEmpty else { return }
        performers.sink.tell(announcements) {
            // Where it fails, the next turn tries again; the worst is that the next daemon says something twice.
            guard !untold.items.isEmpty, (try? store.forgetUntold()) != nil else { return }
            untold.items = []
        }
    }

    /// Says what the last daemon committed and was killed before it said it.
    func recallUntold() {
        do throws(StoreError) {
            guard let text = try store.untold() else { return }
            untold = UntoldRuns(text: text)
            var announcements: [Announcement] = []
            for item in untold.items {
                if let run = try store.run(id: item.run) { announcements.append(item.announcement(run)) }
            }
            tell(announcements)
        } catch {
            log.error("cannot read what was not told", [("BOTCRON_ERROR", "\(error)")])
        }
    }
}

extension Engine: Intake {
    public func submit(_ event: Event) {
        switch phase {
        case .preparing, .working: decide(event)
        case .holding: arrive(.fact(event))
        case .refusing: hearWhileRefusing(event)
        }
    }

    public func ask(_ request: @escaping (Ticket) -> Event, then: @escaping (Settlement) -> Void) {
        let ticket = makeTicket(then)
        let event = request(ticket)
        switch phase {
        case .preparing, .working: decide(event)
        case .holding: arrive(.request(ticket, event))
        case .refusing(let refusing): refuse(ticket, event, refusing.error)
        }
    }

    public func whenDurable(_ handler: @escaping () -> Void) {
        switch phase {
        case .working where box.isEmpty: handler()
        case .preparing, .working:
            box.reads.append(handler)
            if let name = loop.meter.exemption { box.exemption = name }
            flushSoon()
        case .holding: arrive(.read(handler))
        case .refusing: handler()
        }
    }
}
