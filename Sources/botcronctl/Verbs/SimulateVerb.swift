import Configuration
import Contract
import Glibc
import JSON
import Schedules
import Scheduling

/// `simulate`: what a configuration would do, by the scheduler itself and without a daemon.
extension Verb {
    static let simulate = Verb(
        "simulate", "what would run, be missed and be caught up, with this very configuration",
        details: """
            Every run succeeds at once, or after --run-length. With --asleep the machine sleeps each day between two times of
            the wall clock. What comes of it is summed up by job; with --all each run and each fire time that is missed
            has a line. As JSON it is always all of them.
            """,
        options: [
            Option("--from", value: "T", "begin at T, such as 2026-12-25T09:00 (default: now)"),
            Option("--to", value: "T", "end at T (default: a day later)"),
            Option("--asleep", value: "HH:MM-HH:MM", "each day the machine sleeps between these times"),
            Option("--config", value: "FILE", of: .file, "the configuration (default: the one that the daemon reads)"),
            Option("--run-length", value: "SECONDS", "how long each run takes (default: 0)"),
            Option("--all", "each run by itself, and each fire time that is missed"),
        ],
        run: simulateConfiguration)
}

/// Nights that one call simulates: ten years.
private let sleepsMax = 3_660

private func simulateConfiguration(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let from = try instant("--from", request, context) ?? context.now
    let to = try instant("--to", request, context) ?? from + .seconds(86_400)
    guard from < to else { throw request.usage("--to: found an instant that is not after --from") }
    let nights = try sleeps(request, context, from: from, to: to)
    let configuration = try readConfiguration(request, context, now: from)
    var simulation = Simulation(
        jobs: configuration.jobs, settings: configuration.settings, isEnabled: configuration.isEnabled)
    if let seconds = try request.seconds("--run-length") { simulation.runLength = .milliseconds(Int64(seconds * 1000)) }
    let outcomes = simulation.run(from: from, to: to, asleep: nights)
    show(outcomes, of: configuration, isWhole: request.has("--all"), context)
    for refused in configuration.refused {
        context.screen.warn("\(refused.name): \(refused.error)")
    }
    return ExitCode.success
}

private func instant(_ option: String, _ request: Request, _ context: Context) throws(Failure) -> Instant? {
    guard let text = request.options[option] else { return nil }
    return try context.instant(text, of: option, request, in: context.zone)
}

private func readConfiguration(_ request: Request, _ context: Context, now: Instant) throws(Failure) -> Configuration {
    let path = request.options["--config"] ?? ConfigurationFile.defaultPath(environment: userEnvironment())
    let reader = context.configurationReader(at: now)
    do throws(ConfigurationError) {
        guard case .bytes(let bytes) = try ConfigurationFile.load(path: path) else {
            throw ConfigurationError(operation: "read", object: path, reason: "there is no such file")
        }
        return try reader.read(document: ConfigurationFile.parse(bytes, path: path))
    } catch {
        throw Failure(ExitCode.failure, ServiceError.invalidConfig.name, "\(error)")
    }
}

// MARK: - Sleep

/// A sleep for each day of the stretch, from one time of the wall clock to another, over midnight where that is
/// earlier.
private func sleeps(
    _ request: Request, _ context: Context, from: Instant, to: Instant
) throws(Failure) -> [Simulation.Sleep] {
    guard let text = request.options["--asleep"] else { return [] }
    let times = text.split(separator: "-", omittingEmptySubsequences: false).map { minutes(String($0)) }
    guard times.count == 2, let begin = times[0], let end = times[1], begin != end else {
        throw request.usage("--asleep: found \"\(text)\", expected two times such as 23:00-07:00")
    }
    let zone = context.zone
    func instant(_ day: LocalDateTime, _ minutes: Int) -> Instant {
        var local = day
        (local.hour, local.minute, local.second) = (minutes / 60, minutes % 60, 0)
        return zone.instant(of: local)
    }
    var sleeps: [Simulation.Sleep] = []
    // From the day before: a night that began then may reach in.
    var noon = instant(zone.localDateTime(at: from), 12 * 60) - .seconds(86_400)
    while noon - .seconds(86_400) < to, sleeps.count < sleepsMax {
        let day = zone.localDateTime(at: noon)
        let next = zone.localDateTime(at: noon + .seconds(86_400))
        let sleep = Simulation.Sleep(from: instant(day, begin), until: instant(begin < end ? day : next, end))
        if sleep.until > from, sleep.from < to { sleeps.append(sleep) }
        noon = instant(next, 12 * 60)
    }
    return sleeps
}

/// `HH:MM` in minutes.
private func minutes(_ text: String) -> Int? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ $0.count == 2 && $0.allSatisfy(\.isNumber) }),
        let hour = Int(parts[0]), let minute = Int(parts[1]), hour < 24, minute < 60
    else { return nil }
    return hour * 60 + minute
}

// MARK: - Showing

private func show(
    _ outcomes: [Simulation.Outcome], of configuration: Configuration, isWhole: Bool, _ context: Context
) {
    let zones = Dictionary(configuration.jobs.map { ($0.name, $0.zone) }, uniquingKeysWith: { first, _ in first })
    let screen = context.screen
    guard !screen.isJSON else {
        return screen.json(
            .array(
                outcomes.map { outcome in
                    let zone = zones[outcome.job] ?? context.zone
                    let (fate, count, reason) = words(outcome.fate)
                    return [
                        "job": .string(outcome.job),
                        "scheduled_for": outcome.fireTime.map { .string($0.rfc3339(in: zone)) } ?? .null,
                        "at": .string(outcome.at.rfc3339(in: zone)), "outcome": .string(fate),
                        "covered": .number(count), "reason": .optional(reason),
                    ]
                }))
    }
    guard !outcomes.isEmpty else { return screen.line("Nothing would run.") }
    guard isWhole else {
        let names = configuration.jobs.map(\.name)
        return SimulationSummary(outcomes, names).table(context).print(on: screen)
    }
    var table = Table("AT", "JOB", "WHAT")
    for outcome in outcomes {
        let (fate, count, reason) = words(outcome.fate)
        var what = fate
        if let reason { what += ": \(reason)" }
        if count > 1 { what += ", for \(count) fire times" }
        if let fire = outcome.fireTime, fire != Instant(seconds: outcome.at.seconds) {
            what +=
                count > 1
                ? " up to \(TimeText.absolute(fire, in: context.zone))"
                : ", of \(TimeText.absolute(fire, in: context.zone))"
        }
        table.add([.init(TimeText.absolute(outcome.at, in: context.zone)), .init(outcome.job), .init(what)])
    }
    table.print(on: screen)
}

private func words(_ fate: Simulation.Outcome.Fate) -> (fate: String, count: Int, reason: String?) {
    switch fate {
    case .run: ("run", 1, nil)
    case .catchUp(let count): ("catch_up", count, nil)
    case .missed(let reason, let count): ("missed", count, reason.rawValue)
    }
}
