import Schedules
import Scheduling

/// Definitions drawn at random over all policies.
struct RandomJob {
    private var random: SeededRandom
    private var count = 0

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func next(name: String, others: [String], now: Instant, origin: Job.Origin) -> Job {
        count += 1
        let zone = random.pick(Zones.all)
        var job = Job(name: name, registeredAt: now, zone: zone, action: .command(["work"]))
        job.origin = origin
        job.definition = "\(name)/\(count)"
        job.version = count
        drawSchedules(&job, now: now)
        drawPolicies(&job)
        drawChain(&job, others)
        drawSurroundings(&job)
        return job
    }

    private mutating func drawSchedules(_ job: inout Job, now: Instant) {
        let count = random.pick([0, 1, 1, 1, 1, 1, 1, 1, 2, 3])
        var texts: [String] = []
        for _ in 0..<count {
            let (type, text) = drawExpression()
            guard let schedule = parse(type, text, now: now, zone: job.zone),
                let timetable = drawTimetable(schedule, job.zone, now: now)
            else { continue }
            job.schedules.append(JobSchedule(type: type, text: text, timetable: timetable))
            texts.append("\(text) \(timetable.startAt?.seconds ?? 0) \(timetable.endAt?.seconds ?? 0)")
        }
        if job.schedules.count == 1, job.schedules[0].type == "interval", random.chance(2) {
            job.countsFromEnd = true
            texts.append("from end")
        }
        job.scheduleKey = texts.joined(separator: "|") + " \(job.zone.name) \(now.microseconds)"
        if random.chance(5) { job.jitterMilliseconds = Int64(1 + random.below(900_000)) }
        if random.chance(6),
            let exclusion = try? Exclusion(
                random.pick(["Sat,Sun", "*-*-13", "12:00", "*-*-01..07", "02:30"]), zone: job.zone, zones: { _ in nil })
        {
            job.exclusions = [exclusion]
        }
        if random.chance(6) { job.maxExecutions = 1 + random.below(12) }
        if random.chance(3) { job.deleteAfter = .seconds(random.pick([60, 3_600, 604_800])) }
    }

    private mutating func drawExpression() -> (String, String) {
        let minute = random.below(60)
        let hour = random.below(24)
        return switch random.below(16) {
        case 0: ("cron", "*/\(random.pick([5, 10, 15])) * * * *")
        case 1: ("cron", "\(minute) */\(random.pick([2, 3])) * * *")
        case 2, 3, 4: ("cron", "\(minute) * * * *")
        case 5, 6, 7: ("cron", "\(minute) \(hour) * * *")
        case 8: ("cron", "\(minute) \(hour),\(random.below(24)) * * MON-FRI")
        case 9: ("cron", "30 \(random.pick([1, 2, 3])) * * *")
        case 10: ("cron", "\(minute) \(hour) 1,15 * *")
        case 11: ("interval", random.pick(["17m", "1h", "90m", "6h", "1d", "7h30m"]))
        case 12: ("interval", "\(20 + random.below(3000))m")
        case 13: ("once", "\(random.seconds(upTo: 2_000_000))")
        case 14: ("once", "-\(random.seconds(upTo: 100_000))")
        default: ("cron", "*/20 9-17 * * *")
        }
    }

    private func parse(_ type: String, _ text: String, now: Instant, zone: TimeZoneRules) -> Schedule? {
        switch type {
        case "cron": return try? Schedule.cron(text)
        case "interval": return try? Schedule.interval(text)
        default:
            let instant = Instant(seconds: now.seconds + (Int64(text) ?? 0))
            return try? Schedule.once(instant.rfc3339(in: .utc), registeredAt: now, zone: zone, allowPast: true)
        }
    }

    private mutating func drawTimetable(_ schedule: Schedule, _ zone: TimeZoneRules, now: Instant) -> Timetable? {
        var start: Instant?
        var end: Instant?
        if schedule.kind != .once {
            if random.chance(8) { start = Instant(seconds: now.seconds + Int64(random.below(900_000))) }
            if random.chance(8) { end = Instant(seconds: now.seconds + 900_000 + Int64(random.below(900_000))) }
        }
        let dst = DSTPolicy(
            gap: random.pick(DSTPolicy.Gap.allCases), overlap: random.pick(DSTPolicy.Overlap.allCases))
        return try? Timetable(schedule: schedule, zone: zone, dst: dst, anchor: now, startAt: start, endAt: end)
    }

    private mutating func drawPolicies(_ job: inout Job) {
        job.overlap = random.pick(OverlapPolicy.allCases)
        if random.chance(3) { job.maxInstances = 1 + random.below(4) }
        job.catchUp.kind = random.pick(CatchUpPolicy.Kind.allCases)
        job.catchUp.graceTime = .seconds(random.pick([0, 1, 60, 300, 300, 3600]))
        job.catchUp.window = .seconds(random.pick([0, 3600, 86_400, 86_400, 864_000]))
        job.catchUp.limit = random.pick([0, 1, 5, 100])
        job.priority = random.below(40) - 20
        job.historyLimit = random.pick([1, 3, 100])
        job.isEnabled = !random.chance(10)
        job.isTraced = random.chance(8)
        job.timeout = .seconds(random.pick([60, 300, 3600]))
        if random.chance(2) {
            var retry = RetryPolicy()
            retry.maxAttempts = 1 + random.below(4)
            retry.delay = .seconds(random.pick([0, 5, 60, 600]))
            retry.backoff = random.pick([.exponential(multiplier: 2), .exponential(multiplier: 1.5), .linear])
            retry.maxDelay = .seconds(random.pick([60, 3600]))
            retry.jitter = random.pick([0, 0, 0.1, 0.5])
            retry.on = random.pick([
                [], [], [.any], [.exit(1, 1)], [.type("timeout")], [.type("interrupted")], [.signal(9)],
            ])
            job.retry = retry
        }
        if random.chance(8) { job.budget.runsPerDay = 1 + random.below(5) }
        if random.chance(10) { job.budget.costPerDay = Double(1 + random.below(4)) }
        if random.chance(12) { job.budget.wallTimePerDay = .seconds(600) }
        if random.chance(8) { job.pauseOnFailures = 2 + random.below(4) }
        drawMessages(&job)
        drawExpectations(&job)
    }

    private mutating func drawExpectations(_ job: inout Job) {
        if random.chance(6) { job.expectWithin = .seconds(random.pick([60, 300, 7_200])) }
        if random.chance(6) { job.expectEvery = .seconds(random.pick([3_600, 93_600, 604_800])) }
        if random.chance(6) { job.expectBy = try? DailyDeadline(minute: random.below(1_440), zone: job.zone) }
    }

    private mutating func drawMessages(_ job: inout Job) {
        if random.chance(6) { job.quietHours = QuietHours(from: random.below(1_440), until: random.below(1_440)) }
        guard random.chance(2) else { return }
        job.messages = ["desktop", "memory", "command"].filter { _ in random.chance(2) }.map { target in
            let occasions = Message.Occasion.allCases.filter { _ in random.chance(2) }
            return MessageRule(target: target, on: Message.Occasions(occasions))
        }
    }

    private mutating func drawChain(_ job: inout Job, _ others: [String]) {
        // Only ever to the greater name: the reader of a file refuses circles.
        let (before, behind) = (others.filter { $0 < job.name }, others.filter { $0 > job.name })
        guard random.chance(5) else { return }
        switch random.below(4) {
        case 0: if !behind.isEmpty { job.onSuccess = [random.pick(behind)] }
        case 1: if !behind.isEmpty { job.onFailure = [random.pick(behind)] }
        default:
            guard before.count > 1 else { return }
            let first = random.below(before.count)
            let names = random.chance(2) ? [before[first]] : [before[first], before[(first + 1) % before.count]]
            job.after = Job.Chain(jobs: names, on: random.pick(Job.Chain.Outcome.allCases))
        }
    }

    private mutating func drawSurroundings(_ job: inout Job) {
        job.power.keepsAwake = random.chance(6)
        job.power.wakesSystem = random.chance(6)
        job.power.sleepsAgain = random.chance(2)
        job.power.onSleep = random.pick([.continue, .continue, .stop, .wait])
        if random.chance(9) { job.precheck = .shell("look") }
        if random.chance(11) {
            job.poll = Job.Poll(interval: .seconds(random.pick([900, 7_200, 43_200])), condition: .shell("look"))
            if random.chance(2) { job.poll?.dedupe = .seconds(random.pick([600, 86_400])) }
        }
        if random.chance(4) { job.holdGroup = random.pick(["red", "green"]) }
        guard random.chance(4) else { return }
        if random.chance(2) { job.conditions.needsACPower = true }
        if random.chance(4) { job.conditions.batteryMin = 20 }
        if random.chance(3) { job.conditions.network = random.pick(Conditions.Network.allCases) }
        if random.chance(4) { job.conditions.idle = .seconds(random.pick([0, 60, 1800])) }
        if random.chance(4) { job.conditions.loadMax = random.pick([1, 2]) }
        if random.chance(4) { job.conditions.path = "/there" }
        if random.chance(4) { job.conditions.command = .shell("ask") }
        job.conditions.timeout = .seconds(random.pick([0, 60, 1800, 3600]))
        job.conditions.action = random.pick(Conditions.Action.allCases)
        job.conditions.onLoss = random.pick(Conditions.OnLoss.allCases)
    }
}
