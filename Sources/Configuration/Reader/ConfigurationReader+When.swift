import JSON
import Schedules
import Scheduling

/// When a definition runs: one schedule, several under `schedules`, or none.
extension ConfigurationReader {
    static let whenKeys =
        scheduleKeys + [
            "timezone", "dst", "start_at", "end_at", "max_executions", "jitter", "jitter_ms", "jitter_seconds",
            "allow_past", "exclude", "interval_from", "delete_after",
        ]

    func readWhen(
        _ fields: Fields, _ configuration: Configuration, _ rule: RegistrationRule, into job: inout Job
    ) throws(FieldError) {
        job.zone =
            try fields["timezone"].map { field throws(FieldError) in try zone(named: field) }
            ?? configuration.timezone
        if let field = fields["max_executions"] { job.maxExecutions = try field.integer(1...Bounds.countMax) }
        job.jitterMilliseconds = try readJitter(fields)

        var window = Window()
        if let field = fields["dst"] { window.dst = try readDST(field) }
        window.allowsPast = try fields["allow_past"]?.bool() ?? configuration.allowsPastEvents
        window.startAt = fields["start_at"]
        window.endAt = fields["end_at"]

        let plan = try readPlan(fields)
        if let field = fields["interval_from"] {
            window.countsFromEnd = try readIntervalFrom(field, plan)
            job.countsFromEnd = window.countsFromEnd
        }
        if let start = plan.startAt {
            if let other = window.startAt, other.value != start.value {
                throw start.refusal("says when it starts, as start_at does; give one of them")
            }
            window.startAt = start
        }
        job.after = plan.after
        job.poll = plan.poll
        if let trigger = plan.triggerQueue {
            job.triggerQueue = trigger.name
            job.triggerBatch = trigger.batch
        }

        (job.registeredAt, job.scheduleKey) = registered(plan, window, job, rule)
        job.schedules = try timetables(of: plan, window, job)
        job.exclusions = try readExclusions(fields["exclude"], job.zone)
        if let field = fields["delete_after"] { job.deleteAfter = try readDeleteAfter(field, plan, job, window) }
    }

    private enum IntervalFrom: String, CaseIterable { case grid, end }

    private func readIntervalFrom(_ field: Field, _ plan: SchedulePlan) throws(FieldError) -> Bool {
        guard try field.word(IntervalFrom.self) == .end else { return false }
        let isInterval = plan.entries.count == 1 && plan.entries[0].type == .interval
        guard isInterval, plan.after == nil, plan.poll == nil, plan.triggerQueue == nil else {
            throw field.refusal(
                "\"end\" counts an interval from the end of the last run: it needs an interval, and no other schedule "
                    + "beside it")
        }
        return true
    }

    /// What is never finished would never go.
    private func readDeleteAfter(
        _ field: Field, _ plan: SchedulePlan, _ job: Job, _ window: Window
    ) throws(FieldError) -> Duration {
        let duration = try field.duration()
        let isOnce = !plan.entries.isEmpty && plan.entries.allSatisfy { $0.type == .once }
        let ends = isOnce || !plan.entries.isEmpty && (job.maxExecutions != nil || window.endAt != nil)
        guard ends, plan.after == nil, plan.poll == nil, plan.triggerQueue == nil || job.maxExecutions != nil else {
            throw field.refusal(
                "removes a job that is finished, and this one never is: it needs once, or end_at or max_executions "
                    + "beside its schedule")
        }
        return duration
    }

    /// When the schedule of a definition counts as registered.
    enum RegistrationRule {
        /// As it is remembered, as long as it is still the same: a restart and a reload move nothing.
        case remembered
        /// As above, but a `once` is registered anew: who says "in 2 hours" again means from now.
        case renewed
        case at(Instant)
    }

    private func registered(
        _ plan: SchedulePlan, _ window: Window, _ job: Job, _ rule: RegistrationRule
    ) -> (at: Instant, scheduleKey: String) {
        func registration(at instant: Instant) -> (at: Instant, scheduleKey: String) {
            (instant, scheduleKey(of: plan, window, job.zone, registeredAt: instant))
        }
        switch rule {
        case .at(let instant): return registration(at: instant)
        case .renewed where plan.entries.contains { $0.type == .once }: return registration(at: now)
        case .remembered, .renewed: break
        }
        if let known = self.registration(job.name) {
            let remembered = registration(at: known.registeredAt)
            if remembered.scheduleKey == known.scheduleKey { return remembered }
        }
        return registration(at: now)
    }

    /// What bounds and shapes the schedules of a definition.
    struct Window {
        var dst = DSTPolicy()
        var allowsPast = false
        var startAt: Field?
        var endAt: Field?
        var countsFromEnd = false
    }

    // MARK: - Instants

    private func timetables(
        of plan: SchedulePlan, _ window: Window, _ job: Job
    ) throws(FieldError) -> [JobSchedule] {
        let startAt = try instant(window.startAt, job.zone)
        let endAt = try instant(window.endAt, job.zone)
        var schedules: [JobSchedule] = []
        for entry in plan.entries {
            let schedule = try parse(entry, window, job)
            do {
                let timetable = try Timetable(
                    schedule: schedule, zone: job.zone, dst: window.dst, anchor: job.registeredAt, startAt: startAt,
                    endAt: endAt)
                try timetable.requireFire(after: job.registeredAt)
                schedules.append(JobSchedule(type: entry.type.rawValue, text: schedule.text, timetable: timetable))
            } catch {
                let isAboutEnd = error.field == "end_at"
                throw FieldError(error, at: (isAboutEnd ? window.endAt : nil)?.path ?? entry.field.path)
            }
        }
        if schedules.isEmpty, let startAt, let endAt, endAt < startAt, let field = window.endAt {
            throw field.refusal("is before start_at, so that nothing can fire")
        }
        return schedules
    }

    private func parse(_ entry: SchedulePlan.Entry, _ window: Window, _ job: Job) throws(FieldError) -> Schedule {
        do {
            switch entry.type {
            case .cron:
                return try Schedule.cron(entry.text)
            case .interval:
                if let count = entry.count { return try Schedule.interval(type: entry.text, value: count.value) }
                return try Schedule.interval(entry.text)
            case .once:
                return try Schedule.once(
                    entry.text, registeredAt: job.registeredAt, zone: job.zone, allowPast: window.allowsPast)
            case .calendar:
                return try Schedule.calendar(entry.text, zones: installedZone)
            }
        } catch {
            let isAboutCount = error.field == "interval_value"
            throw FieldError(error, at: (isAboutCount ? entry.count?.field : nil)?.path ?? entry.field.path)
        }
    }

    /// An instant in one of the absolute forms of `once`.
    func instant(_ field: Field?, _ zone: TimeZoneRules) throws(FieldError) -> Instant? {
        guard let field else { return nil }
        let text = try field.string(expected: "an instant, such as \"2026-12-25T09:00:00Z\"")
        do {
            return try Instant.absolute(text, zone: zone)
        } catch {
            throw FieldError(error, at: field.path)
        }
    }

    private func installedZone(_ name: String) -> TimeZoneRules? { try? zones.zone(named: name) }

    private func readExclusions(_ field: Field?, _ zone: TimeZoneRules) throws(FieldError) -> [Exclusion] {
        guard let field else { return [] }
        var exclusions: [Exclusion] = []
        for element in try field.elements(of: "calendar events or dates") {
            let text = try element.string(expected: "a calendar event or a date")
            do {
                exclusions.append(try Exclusion(text, zone: zone, zones: installedZone))
            } catch {
                throw FieldError(error, at: element.path)
            }
        }
        let repeating = ExclusionSet(exclusions).repeatingCount
        guard repeating <= Bounds.repeatingExclusionsMax else {
            throw field.refusal(
                "found \(repeating) events that repeat without end; at most \(Bounds.repeatingExclusionsMax)"
                    + " are taken (of dates as many as you like)")
        }
        return exclusions
    }

    // MARK: - Shape

    private static let dstVocabulary = Vocabulary(["gap", "overlap"])

    private func readDST(_ field: Field) throws(FieldError) -> DSTPolicy {
        let fields = try Fields(field, Self.dstVocabulary)
        var policy = DSTPolicy()
        if let field = fields["gap"] { policy.gap = try field.word(DSTPolicy.Gap.self) }
        if let field = fields["overlap"] { policy.overlap = try field.word(DSTPolicy.Overlap.self) }
        return policy
    }

    /// In milliseconds, whatever unit it is written in.
    private func readJitter(_ fields: Fields) throws(FieldError) -> Int64 {
        let given = fields.given(["jitter", "jitter_ms", "jitter_seconds"])
        guard let field = given.first else { return 0 }
        if given.count > 1 {
            throw given[1].refusal("says the same as \(field.key) in another unit; give one of them")
        }
        if field.key == "jitter_ms" {
            return Int64(try field.integer(0...Int(Bounds.durationSecondsMax) * 1000))
        }
        return try field.duration().wholeMilliseconds
    }
}

extension Duration {
    /// Floored.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
