/// A schedule in its zone, with its anchor and its window: a set of instants.
///
/// Mental model: the set is fixed once the timetable is made. It does not depend on what ran, on how often it is
/// asked, or on when. So `next` after a year of downtime, asked in steps or from the middle, agrees with itself.
///
/// ```swift
/// let schedule = try Schedule.cron("30 2 * * *")
/// let nightly = try Timetable(schedule: schedule, zone: newYork, anchor: createdAt)
/// nightly.next(after: now)                                  // 02:30; 03:00 on the night that skips it
/// nightly.count(after: lastSeen, through: now)              // how many were missed, without listing them
/// nightly.previous(atOrBefore: now)                         // the newest of them
/// ```
///
/// The rule for DST changes: a *wildcard* schedule (`*/30 * * * *`) keeps its rhythm; it fires whenever the wall
/// clock matches. A *fixed* one (`30 2 * * *`) keeps its time of day: what a gap skips fires at the first instant
/// after the gap, and of an overlap only the first pass fires. `DSTPolicy` changes the second kind only.
///
/// Units: instants are whole seconds of UTC; `after` may carry a fraction. Domain: 1970 to the horizon,
/// `Instant.horizon`.
///
/// Sharp edges:
/// - An interval counts from `startAt` where there is one, and fires at it; else from `anchor`, which is no fire.
/// - `startAt` only cuts the fires of a cron expression or a calendar event. Both ends of the window are inclusive.
/// - A `once` in the past (`allow_past`) is a member like any other: `next(after: now)` does not name it.
/// - No search allocates. The worst ones, rare dates, take a microsecond.
///
/// Sources: crontab(5) and cron(8) of Debian, systemd.time(7), RFC 9636 (TZif).
public struct Timetable: Sendable, Equatable {
    /// Trivial copies of what the searches need, so that none of them counts references.
    enum Plan: Equatable, Sendable, BitwiseCopyable {
        case civil(CivilRule)
        case interval(IntervalGrid)
        case once(Int64)
        case nothing
    }

    public let schedule: Schedule
    /// The zone that counts: the schedule's own, else the job's.
    public let zone: TimeZoneRules
    public let dst: DSTPolicy
    /// What an interval counts from, to the whole second.
    public let anchor: Instant
    public let startAt: Instant?
    public let endAt: Instant?
    let plan: Plan
    /// The window as seconds of UTC, cut to the domain.
    let earliest: Int64
    let latest: Int64

    /// - Parameters:
    ///   - zone: the job's; a calendar event that carries a zone does not use it.
    ///   - anchor: the creation of the job, or the moment at which its interval or zone last changed.
    ///   - startAt: the first instant of the window, and the anchor of an interval.
    ///   - endAt: the last instant of the window.
    /// - Throws: `empty_window` where `endAt` is before `startAt`.
    public init(
        schedule: Schedule, zone: TimeZoneRules, dst: DSTPolicy = DSTPolicy(), anchor: Instant, startAt: Instant? = nil,
        endAt: Instant? = nil
    ) throws(ScheduleError) {
        let zone = schedule.zone ?? zone
        if let startAt, let endAt, endAt < startAt {
            throw ScheduleError(
                code: .emptyWindow, field: "end_at", value: endAt.rfc3339(in: zone), position: 0,
                sentence: "end_at is before start_at, which is \(startAt.rfc3339(in: zone))")
        }
        self.schedule = schedule
        self.zone = zone
        self.dst = dst
        self.anchor = Instant(seconds: (startAt ?? anchor).seconds)
        self.startAt = startAt
        self.endAt = endAt
        earliest = max(startAt?.secondsRoundedUp ?? 0, 0)
        latest = min(endAt?.seconds ?? WallClock.horizonSeconds, WallClock.horizonSeconds)
        switch schedule.rule {
        case .civil(let pattern): plan = .civil(CivilRule(pattern: pattern, dst: dst))
        case .interval(let interval):
            plan = .interval(
                IntervalGrid(
                    interval: interval, anchor: self.anchor.seconds, firstIndex: startAt == nil ? 1 : 0, zone: zone))
        case .once(let instant): plan = .once(instant.secondsRoundedUp)
        case .reboot: plan = .nothing
        }
    }

    // MARK: - Searching

    /// The least member strictly greater than `after`; none where nothing follows in the window. Allocates nothing.
    public func next(after: Instant) -> Instant? {
        let begin = max(after.seconds &+ 1, earliest)
        guard begin <= latest else { return nil }
        let found: Int64
        switch plan {
        case .civil(let rule): found = rule.next(atOrAfter: begin, in: zone)
        case .interval(let grid): found = grid.next(atOrAfter: begin, in: zone)
        case .once(let instant): found = instant >= begin ? instant : WallClock.never
        case .nothing: found = WallClock.never
        }
        return found <= latest ? Instant(microseconds: found &* 1_000_000) : nil
    }

    /// The greatest member that is not after `instant`; none where there is none in the window.
    public func previous(atOrBefore instant: Instant) -> Instant? {
        let end = min(instant.seconds, latest)
        guard end >= earliest else { return nil }
        let found: Int64
        switch plan {
        case .civil(let rule): found = rule.previous(atOrBefore: end, notBelow: earliest, in: zone)
        case .interval(let grid): found = grid.previous(atOrBefore: end, in: zone)
        case .once(let instant): found = instant <= end ? instant : WallClock.never
        case .nothing: found = WallClock.never
        }
        return found != WallClock.never && found >= earliest ? Instant(seconds: found) : nil
    }

    /// How many members are later than `after` and not later than `through`. Costs a few microseconds for ten years,
    /// however often the schedule fires.
    public func count(after: Instant, through: Instant) -> Int {
        let begin = max(after.seconds &+ 1, earliest)
        let end = min(through.seconds, latest)
        guard begin <= end else { return 0 }
        switch plan {
        case .civil(let rule): return rule.count(from: begin, through: end, in: zone)
        case .interval(let grid): return grid.count(from: begin, through: end, in: zone)
        case .once(let instant): return instant >= begin && instant <= end ? 1 : 0
        case .nothing: return 0
        }
    }

    /// Whether `instant`, to the second, is a member.
    public func contains(_ instant: Instant) -> Bool {
        let second = Instant(seconds: instant.seconds)
        return instant == second && previous(atOrBefore: second) == second
    }

    // MARK: - Registration

    /// Refuses a timetable that has nothing left to do: `never_fires` where no fire follows `registeredAt` in the
    /// window. A boot schedule has no instants and passes; a `once` passes where its instant is in the window.
    public func requireFire(after registeredAt: Instant) throws(ScheduleError) {
        switch schedule.rule {
        case .reboot: return
        case .once(let instant) where contains(instant): return
        case .once: break
        case .civil, .interval:
            if next(after: registeredAt) != nil { return }
        }
        let text = schedule.text.utf8.span
        let range = schedule.dayField
        let (field, value, position) =
            switch schedule.kind {
            case .cron:
                ("day_of_month", ScheduleError.string(text, range), ScheduleError.position(text, range.lowerBound))
            case .calendar: ("day", ScheduleError.string(text, range), ScheduleError.position(text, range.lowerBound))
            case .once: ("datetime", schedule.text, 0)
            case .interval, .reboot: ("interval", schedule.text, 0)
            }
        let window = startAt == nil && endAt == nil ? "" : " in its window"
        throw ScheduleError(
            code: .neverFires, field: field, value: value, position: position,
            sentence: "it has no fire time after \(registeredAt.rfc3339(in: zone))\(window)")
    }
}
