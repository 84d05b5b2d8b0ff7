internal import EventLoop
internal import Scheduling
import Store

/// A store that cannot be written: waited for, then given up; and, one subject with it, the way back: the start's.
///
/// A short lock is no error: the transaction is kept, and whatever arrives waits behind it. After the engine's
/// patience, or at once where the machine sleeps or the daemon stops, requests are refused and nothing of them remains.
/// Facts are let go: each can be had again from whoever told it. The core is then built anew from the store as it
/// stands, so that an undo of what was decided need not exist.
extension Engine {
    // MARK: - Held

    func couldNotCommit(_ error: StoreError) {
        switch error.remedy {
        case .deciding: return isStart(box) ? cannotIsolate(box, error) : isolate(error)
        case .otherDaemon: onFolderLost(error)
        case .time, .restart, .person: break
        }
        log.warning("cannot record what was decided; trying again", [("BOTCRON_ERROR", "\(error)")])
        // First: what ends at once arrives behind the transaction, which is tried again as it is.
        phase = .holding(Holding(error: error, untilUSec: loop.now(.monotonic) + pace.patienceUSec))
        for run in box.urgentStops { stopWhileHolding(run) }
        if box.isLast { return giveUp() }
        storeTimer?.arm(atUSec: loop.now(.monotonic) + pace.retryUSec)
    }

    func arrive(_ arrival: Arrival) {
        guard case .holding(var holding) = phase else { return }
        holding.arrivals.append(arrival)
        phase = .holding(holding)
        switch arrival {
        // The end of a process is not kept waiting for a disk: its supervisor records it.
        case .request(_, .cancelRequested(let run, _)): stopWhileHolding(run)
        case .fact(.stopping), .fact(.sleep): giveUp()
        default: break
        }
    }

    /// Its attempt may be over by the time that the request is settled, and was ended by it all the same.
    private func stopWhileHolding(_ run: String) {
        // What ends at once arrives itself.
        guard performers.attempts.stop(run), case .holding(var holding) = phase else { return }
        holding.stopped.insert(run)
        phase = .holding(holding)
    }

    func storeTimerEnded() {
        switch phase {
        case .preparing, .working: break
        case .holding(let holding): retryCommit(holding)
        case .refusing(let refusing): probe(refusing)
        }
    }

    private func retryCommit(_ holding: Holding) {
        guard let error = commit() else { return goOn(holding.arrivals) }
        guard loop.now(.monotonic) < holding.untilUSec else { return giveUp() }
        var holding = holding
        holding.error = error
        phase = .holding(holding)
        storeTimer?.arm(atUSec: loop.now(.monotonic) + pace.retryUSec)
    }

    /// The transaction is on record: what it makes visible is done, and what has arrived is decided in its order.
    private func goOn(_ arrivals: [Arrival]) {
        phase = .working
        log.info("the store can be written again")
        performBox()
        for arrival in arrivals {
            switch arrival {
            case .fact(let event), .request(_, let event): decide(event)
            case .read(let read): whenDurable(read)
            }
        }
        performers.sink.turnEnded()
        onTurnEnd()
    }

    // MARK: - Given up

    /// The patience is over. Where the transaction turns out to be on record after all, it has succeeded; where that
    /// cannot be known, its requests wait until it is.
    func giveUp() {
        guard case .holding(let holding) = phase else { return }
        let isOnRecord = box.changes.isEmpty ? false : try? store.settle(turn: turnNumber + 1)
        if isOnRecord == true {
            committed()
            return goOn(holding.arrivals)
        }
        log.error("the store cannot be written; requests are refused", [("BOTCRON_ERROR", "\(holding.error)")])
        let lost = box
        box = Outbox()
        phase = .refusing(
            Refusing(
                error: holding.error, isReadable: true, probeDelayUSec: pace.probeFirstUSec,
                unsettled: isOnRecord == nil ? lost : nil))
        storeTimer?.arm(atUSec: loop.now(.monotonic) + pace.probeFirstUSec)
        letGo(of: lost, holding, isInDoubt: isOnRecord == nil)
        performers.sink.turnEnded()
        onTurnEnd()
    }

    /// Answers everybody who waits for the transaction, and behind it.
    private func letGo(of lost: Outbox, _ holding: Holding, isInDoubt: Bool) {
        let wasAnswering = isAnswering
        isAnswering = true
        defer { isAnswering = wasAnswering }
        rebuild()
        if isInDoubt { settleCancels(lost, holding.stopped) } else { refuse(lost, holding.error, holding.stopped) }
        for read in lost.reads { read() }
        for event in lost.events { hearWhileRefusing(event) }
        for arrival in holding.arrivals {
            switch arrival {
            case .fact(let event): hearWhileRefusing(event)
            case .request(let ticket, let event): refuse(ticket, event, holding.error, holding.stopped)
            case .read(let read): read()
            }
        }
    }

    func refuse(_ lost: Outbox, _ error: StoreError, _ stopped: Set<String> = []) {
        for (ticket, _) in lost.replies { refuse(ticket, lost.event(of: ticket), error, stopped) }
    }

    /// - Parameter stopped: runs whose attempts were ended for such a request before.
    func refuse(_ ticket: Ticket, _ event: Event?, _ error: StoreError, _ stopped: Set<String> = []) {
        if isCarriedOut(event, stopped) { return settle(ticket, .reply(.done)) }
        settle(ticket, scheduler.status == .stopping ? .stopping : .storeFailed(error))
    }

    /// The one exception to what is refused: an attempt that has begun is ended all the same, and that is on its
    /// supervisor's disk.
    private func isCarriedOut(_ event: Event?, _ stopped: Set<String>) -> Bool {
        guard case .cancelRequested(let run, _) = event else { return false }
        return stopped.contains(run) || performers.attempts.stop(run)
    }

    /// Of a transaction in doubt: these do not wait for what becomes of it.
    private func settleCancels(_ lost: Outbox, _ stopped: Set<String>) {
        for (ticket, _) in lost.replies where isCarriedOut(lost.event(of: ticket), stopped) {
            settle(ticket, .reply(.done))
        }
    }

    /// Of facts these alone mean something now; the others can be had again.
    func hearWhileRefusing(_ event: Event) {
        switch event {
        case .stopping:
            // Nothing of it is to be recorded, but for the ends of processes, which their supervisors record.
            for case .stop(let run, _) in scheduler.handle(.stopping, at: now) { performers.attempts.stop(run) }
            onTurnEnd()
        case .configurationChanged: rebuild()
        default: break
        }
    }

    // MARK: - The way back

    /// Builds the core from the store as it stands: what is asked meanwhile is answered from it.
    private func rebuild() {
        let isStopping = scheduler.status == .stopping
        loop.meter.exempting(TurnMeter.rebuild) {
            do throws(StoreError) {
                scheduler = try makeCore()
                if isStopping { _ = scheduler.handle(.stopping, at: now) }
                setReadable(true)
            } catch {
                log.error("the store cannot be read", [("BOTCRON_ERROR", "\(error)")])
                setReadable(false)
            }
        }
    }

    private func setReadable(_ isReadable: Bool) {
        guard case .refusing(var refusing) = phase else { return }
        refusing.isReadable = isReadable
        phase = .refusing(refusing)
    }

    private func probe(_ refusing: Refusing) {
        var next = refusing
        do throws(StoreError) {
            if let unsettled = refusing.unsettled {
                let isOnRecord = try store.settle(turn: turnNumber + 1)
                next.unsettled = nil
                if isOnRecord { return try succeed(unsettled) }
                refuse(unsettled, refusing.error)
            }
            try store.probe()
            return try restart()
        } catch {
            next.error = error
        }
        next.probeDelayUSec = min(refusing.probeDelayUSec * 2, pace.probeLongestUSec)
        phase = .refusing(next)
        storeTimer?.arm(atUSec: loop.now(.monotonic) + next.probeDelayUSec)
    }

    /// What nobody knew of is on record: the core that begins finds it there, and those who asked are told.
    private func succeed(_ unsettled: Outbox) throws(StoreError) {
        turnNumber += 1
        try restart()
        recallUntold()
        for (ticket, reply) in unsettled.replies { settle(ticket, .reply(reply)) }
    }

    /// The store takes writes again: the core begins as at a start, beside whatever lives.
    private func restart() throws(StoreError) {
        var failure: StoreError?
        loop.meter.exempting(TurnMeter.rebuild) {
            do throws(StoreError) { try beginAnew() } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private func beginAnew() throws(StoreError) {
        let isStopping = scheduler.status == .stopping
        scheduler = try makeCore()
        var situation: Situation
        do {
            situation = try self.situation(.rebuild)
            situation.isStopping = isStopping
        } catch {
            throw StoreError(
                kind: .other, operation: "take over the runs that are under way", path: "", message: "\(error)")
        }
        phase = .working
        log.info("the store can be written again; nothing was decided meanwhile")
        handle(.started(situation))
        settleBox()
        if case .working = phase { onRebuilt() }
    }

    // MARK: - One that the store refuses

    /// Something in the transaction can never be recorded. Its events are decided once more, one by one, from a new
    /// core; the one that offends is refused.
    private func isolate(_ error: StoreError) {
        if (try? store.settle(turn: turnNumber + 1)) == true {
            committed()
            return performBox()
        }
        log.error("the store refuses what was decided; deciding one by one", [("BOTCRON_ERROR", "\(error)")])
        let refused = box
        box = Outbox()
        isAnswering = true
        defer { isAnswering = false }
        do throws(StoreError) {
            try restart()
        } catch {
            return cannotIsolate(refused, error)
        }
        for (place, event) in refused.events.enumerated() {
            guard case .working = phase else {
                // The store failed in another way meanwhile: what is left shares in that.
                for event in refused.events[place...] { comeAfter(event) }
                break
            }
            // What the restart knows better than a second telling.
            if case .started = event { continue }
            handle(event)
            guard let error = commit() else {
                performBox()
                continue
            }
            guard error.remedy == .deciding else {
                couldNotCommit(error)
                continue
            }
            log.error(
                "an event is let go, because the store can never record what follows from it",
                [("BOTCRON_ERROR", "\(error)")])
            box = Outbox()
            if let ticket = event.ticket { settle(ticket, .storeFailed(error)) }
            do throws(StoreError) { try restart() } catch { cannotIsolate(Outbox(), error) }
        }
        for read in refused.reads { whenDurable(read) }
    }

    /// One that was decided together with one that failed.
    private func comeAfter(_ event: Event) {
        switch (phase, event.ticket) {
        case (.refusing(let refusing), let ticket?): refuse(ticket, event, refusing.error)
        case (.refusing, nil): hearWhileRefusing(event)
        case (_, let ticket?): arrive(.request(ticket, event))
        case (_, nil): arrive(.fact(event))
        }
    }

    /// Nothing but what a start decides can be refused by one core after the other.
    private func isStart(_ box: Outbox) -> Bool {
        if case .started = box.events.first { box.events.count == 1 } else { false }
    }

    private func cannotIsolate(_ lost: Outbox, _ error: StoreError) {
        box = lost
        phase = .holding(Holding(error: error, untilUSec: 0))
        giveUp()
    }
}
