import Schedules

/// Hold groups: jobs that one word keeps waiting together.
///
/// A run of a group that is held has its turn, and waits before it looks at its conditions, and once more before it
/// starts; so does the next attempt of one that failed. What is forced passes.
extension Scheduler {
    struct GroupWatch {
        /// By group; those that a client has released are kept until their time is over.
        var holds: [String: GroupHold] = [:]
        /// By id, the runs that wait.
        var runs: [String: ActiveRun] = [:]
        /// For the first hold that ends.
        var timer: TimerQueue.Owner?
    }

    // MARK: - Into the wait and out of it

    /// The hold that keeps a run waiting.
    func groupHold(on active: ActiveRun) -> GroupHold? {
        guard !groups.holds.isEmpty, !active.run.isForced else { return nil }
        return groupHold(on: active.job)
    }

    func groupHold(on job: Job) -> GroupHold? {
        guard !groups.holds.isEmpty, let group = job.details.value.holdGroup, let hold = groups.holds[group],
            !hold.isReleased
        else { return nil }
        return hold
    }

    func awaitGroup(_ active: ActiveRun) {
        forgetConditions(active)
        disarm(active)
        active.phase = .awaitingGroup
        groups.runs[active.run.id] = active
    }

    /// The run does not wait any more, whatever became of it.
    func forgetGroup(_ active: ActiveRun) {
        guard !groups.runs.isEmpty else { return }
        groups.runs[active.run.id] = nil
    }

    private func letGo(_ group: String) {
        let waiting = groups.runs.values.filter { $0.job.holdGroup == group }.sorted { $0.sequence < $1.sequence }
        for active in waiting {
            groups.runs[active.run.id] = nil
            prepareToStart(active)
        }
    }

    // MARK: - Events

    /// A run's process says that its group is to wait. What was said already is read again after a restart, and means
    /// nothing new then.
    func hearHold(_ words: String, saidAt: Instant, ofRun id: String, attempt: Int, now: Instant) {
        guard let active = runs[id], active.phase == .running, active.run.attempt == attempt else { return }
        guard let group = active.job.holdGroup else {
            let why = "its job is in no hold_group"
            return note("“hold \(words.prefix(40))” has no effect: \(why)", ofRun: id)
        }
        if let known = groups.holds[group], saidAt <= known.since { return }
        do throws(HoldError) {
            let hold = try GroupHold(
                words: words, group: group, saidAt: min(saidAt, now), run: id, zone: active.job.zone)
            guard let until = hold.until, until > now else { return }
            // Several runs meet the same quota, and a user may know more: the longest holds.
            if let known = groups.holds[group], !known.isReleased, known.until.map({ $0 >= until }) ?? true { return }
            set(hold, by: .daemon, now: now)
        } catch {
            note("“hold \(words.prefix(40))” has no effect: \(error.advice)", ofRun: id)
        }
    }

    func toggleGroup(
        _ group: String, isWaiting: Bool, until: Instant?, by author: ChangeAuthor, ticket: Ticket, now: Instant
    ) {
        guard groups.holds[group] != nil || entries.contains(where: { $0.job.details.value.holdGroup == group }) else {
            let known = Set(entries.compactMap(\.job.details.value.holdGroup))
            return reply(ticket, .refused(.groupNotFound(group, known: known.sorted())))
        }
        if isWaiting {
            guard groups.holds[group] != nil || groups.holds.count < Limits.groupHolds else {
                return reply(ticket, .refused(.limitExceeded("\(groups.holds.count) groups are held already")))
            }
            set(GroupHold(group: group, until: until, since: now), by: author, now: now)
        } else if let hold = groups.holds[group], !hold.isReleased {
            release(hold, by: author, now: now)
        }
        reply(ticket, .done)
    }

    private func set(_ hold: GroupHold, by author: ChangeAuthor, now: Instant) {
        guard groups.holds[hold.group] != nil || groups.holds.count < Limits.groupHolds else { return }
        groups.holds[hold.group] = hold
        turn.changes.append(.groupHold(hold))
        recordHold(hold, .held, by: author, now: now)
        awaitGroupTimes()
    }

    private func release(_ hold: GroupHold, by author: ChangeAuthor, now: Instant) {
        recordHold(hold, .released, by: author, now: now)
        if let until = hold.until, until > now, hold.run != nil {
            var known = hold
            known.isReleased = true
            groups.holds[hold.group] = known
            turn.changes.append(.groupHold(known))
        } else {
            groups.holds[hold.group] = nil
            turn.changes.append(.removeGroupHold(group: hold.group))
        }
        awaitGroupTimes()
        letGo(hold.group)
    }

    /// On record with the jobs that it keeps waiting, so that each says who did.
    private func recordHold(_ hold: GroupHold, _ what: JobChange.What, by author: ChangeAuthor, now: Instant) {
        let names = entries.filter { $0.job.details.value.holdGroup == hold.group }.map(\.job.name)
        let sorted = names.sorted()
        let reason = hold.run.map { "hold group \(hold.group), as \($0) said" } ?? "hold group \(hold.group)"
        for name in sorted.prefix(Limits.recordedHolds) {
            record(what, of: name, by: author, until: hold.until, reason: reason, now: now)
        }
        if !sorted.isEmpty { announce(.jobsChanged(added: [], changed: sorted, removed: [])) }
    }

    // MARK: - Time

    /// Holds whose time is over.
    func releaseDueGroups(now: Instant) {
        let due = groups.holds.values.filter { $0.until.map { $0 <= now } ?? false }.sorted { $0.group < $1.group }
        for hold in due {
            groups.holds[hold.group] = nil
            turn.changes.append(.removeGroupHold(group: hold.group))
            if !hold.isReleased {
                recordHold(hold, .released, by: .daemon, now: now)
                letGo(hold.group)
            }
        }
        awaitGroupTimes()
    }

    private func awaitGroupTimes() {
        guard let next = groups.holds.values.compactMap(\.until).min() else {
            if let timer = groups.timer { disown(timer) }
            groups.timer = nil
            return
        }
        let timer = groups.timer ?? own(.groups)
        groups.timer = timer
        timers.arm(timer, at: next)
    }

    func groupsMoved(by step: Duration, now: Instant) {
        guard !groups.holds.isEmpty else { return }
        for (group, hold) in groups.holds.sorted(by: { $0.key < $1.key }) {
            guard let until = hold.until else { continue }
            var moved = GroupHold(group: group, until: until, since: hold.since + step, run: hold.run)
            (moved.isRelative, moved.isReleased) = (hold.isRelative, hold.isReleased)
            // A time of day that a clock far ahead has named is days away by the one that is right.
            let isFarOff = until - now > Limits.longestHold
            if hold.isRelative || (isFarOff && hold.run != nil) { moved.until = until + step }
            guard moved != hold else { continue }
            groups.holds[group] = moved
            turn.changes.append(.groupHold(moved))
        }
        awaitGroupTimes()
    }

    func restoreGroups(_ stored: [GroupHold]) {
        for hold in stored.prefix(Limits.groupHolds) { groups.holds[hold.group] = hold }
        awaitGroupTimes()
    }

    // MARK: - Queries

    /// Groups that are held, by name.
    public var groupHolds: [GroupHold] {
        groups.holds.isEmpty ? [] : groups.holds.values.filter { !$0.isReleased }.sorted { $0.group < $1.group }
    }

    /// How many runs wait for each group that is held.
    public var runsByGroup: [String: Int] {
        groups.runs.values.reduce(into: [:]) { $0[$1.job.holdGroup ?? "", default: 0] += 1 }
    }

    /// The hold that a run waits for; nil where it waits for none.
    public func groupHold(ofRun id: String) -> GroupHold? {
        groups.runs[id].flatMap { active in active.job.holdGroup.flatMap { groups.holds[$0] } }
    }
}
