import Schedules

/// A message in words: what happened in a line, and what is to be known of it.
struct Wording {
    var title: String
    var text: String

    /// Texts of jobs and of their output end here: a target shows a message, and the run has the rest.
    static let textMax = 1_000
    /// Of messages that became one so many are named.
    static let namedMax = 20

    init(_ title: String, _ text: String) {
        self.title = title
        self.text = text.unicodeScalars.count <= Self.textMax ? text : Self.start(of: text)
    }

    private static func start(of text: String) -> String {
        var part = String.UnicodeScalarView()
        part.append(contentsOf: text.unicodeScalars.prefix(textMax))
        return String(part) + "…"
    }

    // MARK: - Runs

    static func start(of run: Run, _ job: Job) -> Wording {
        Wording("\(run.job) has started", run.scheduledFor.map { "for \(time($0, job.zone))" } ?? "by request")
    }

    static func retry(of run: Run, _ job: Job, after delay: Duration) -> Wording {
        Wording(
            "\(run.job) failed, and is tried again",
            "attempt \(run.attempt + 1) comes in \(delay.inSeconds.shortText) s: \(run.error ?? "it failed")")
    }

    static func stalled(_ run: Run, _ job: Job) -> Wording {
        let patience = (job.stallTimeout ?? .zero).inSeconds.shortText
        return Wording("\(run.job) stalls", "it has written nothing for \(patience) s")
    }

    static func asked(_ question: Question, _ run: Run) -> Wording {
        Wording("\(run.job) asks", "\(question.text)\n\(question.choices.joined(separator: " / "))")
    }

    static func late(_ run: Run, _ job: Job) -> Wording {
        Wording(
            "\(run.job) is late",
            "it is still under way after \((job.expectWithin ?? .zero).inSeconds.shortText) s")
    }

    /// - Parameter since: the last success, or since when one is awaited.
    static func late(_ job: Job, since: Instant?) -> Wording {
        Wording("\(job.name) is late", "no success" + (since.map { " since \(time($0, job.zone))" } ?? ""))
    }

    static func recovered(_ run: Run, _ job: Job, _ course: JobCourse) -> Wording {
        let runs = course.failures == 1 ? "1 failed run" : "\(course.failures) failed runs"
        let since = course.failingSince.map { " since \(time($0, job.zone))" } ?? ""
        return Wording("\(run.job) works again", "after \(runs)\(since)")
    }

    static func paused(_ run: Run, _ job: Job, failures: Int) -> Wording {
        let runs = failures == 1 ? "a failed run" : "\(failures) failed runs"
        return Wording("\(run.job) is paused", "after \(runs): \(run.error ?? "the last one failed")")
    }

    static func end(of run: Run, _ job: Job, _ occasion: Message.Occasion) -> Wording {
        switch occasion {
        case .success: return Wording("\(run.job) succeeded", output(run) ?? took(run))
        case .changed: return Wording("the output of \(run.job) has changed", output(run) ?? "it wrote nothing")
        case .stalled: return stalled(run, job)
        default:
            let what =
                switch run.status {
                case .timeout: "timed out"
                case .interrupted: "was interrupted"
                default: "failed"
                }
            return Wording("\(run.job) \(what)", run.error ?? "it failed")
        }
    }

    static func unusual(_ run: Run, _ job: Job, usual: Duration) -> Wording {
        Wording(
            "\(run.job) took unusually long",
            "\(took(run)); it mostly takes \(Double(usual.wholeMilliseconds) / 1000) s at most")
    }

    /// The last line of what is kept of the output.
    private static func output(_ run: Run) -> String? {
        run.outputPreview?.split(whereSeparator: \.isNewline).last.map(String.init)
    }

    private static func took(_ run: Run) -> String {
        guard let start = run.startedAt, let end = run.endedAt else { return "it wrote nothing" }
        return "in \(Double((end - start).wholeMilliseconds) / 1000) s"
    }

    // MARK: - Fire times that were not run

    static func unrun(_ stretch: Scheduler.UnrunStretch) -> Wording {
        let zone = stretch.entry.job.zone
        let fires =
            if stretch.count > 1, let since = stretch.since, let last = stretch.run.scheduledFor {
                "\(stretch.count) fire times from \(time(since, zone)) to \(time(last, zone)): "
            } else {
                stretch.run.scheduledFor.map { "that of \(time($0, zone)): " } ?? ""
            }
        let why =
            switch stretch.reason {
            case .asleep: "the machine was asleep"
            case .down: "nothing was there to run it"
            case .expired: "it was too late to catch up"
            case .limit: "a limit was reached"
            case .budget: "its budget for the day is used up"
            case .condition: "its conditions did not hold"
            default: stretch.reason.rawValue
            }
        return Wording("\(stretch.run.job) was not run", fires + why)
    }

    // MARK: - Several in one

    static func gathered(_ messages: [Message]) -> Wording {
        let names = messages.prefix(namedMax).map { "\($0.title): \($0.text)" }
        let rest = messages.count > namedMax ? ["and \(messages.count - namedMax) more"] : []
        let text = (names + rest).joined(separator: "\n")
        let isFailure = messages.allSatisfy { $0.occasion == .failure || $0.occasion == .firstFailure }
        let isSuccess = messages.allSatisfy { $0.occasion == .success }
        let jobs = Set(messages.map(\.job))
        let what = isFailure ? "failed" : isSuccess ? "succeeded" : nil
        guard let what, jobs.count == messages.count else {
            return Wording("\(messages.count) messages about \(jobs.count == 1 ? "1 job" : "\(jobs.count) jobs")", text)
        }
        return Wording("\(messages.count) jobs \(what)", text)
    }

    // MARK: - Times

    /// `2026-01-05 09:00`, in the zone of the job.
    private static func time(_ instant: Instant, _ zone: TimeZoneRules) -> String {
        String(instant.rfc3339(in: zone).prefix(16).map { $0 == "T" ? " " : $0 })
    }
}
