import JSON
import Scheduling

/// An option of `add` that stands for one key of a job. The table drives help, parsing and the definition.
struct JobOption: Sendable {
    /// What is made of the words that were given.
    enum Kind: Sendable {
        case text
        /// Seconds, or a text such as `30m`: the daemon reads both.
        case duration
        case integer
        /// A flag, and the value that it stands for.
        case fixed(JSONValue)
        /// Given once for each element.
        case list
        /// `NAME=VALUE`, given once for each member.
        case members
        /// A file or folder; one that is relative is meant from where the user stands, not from the daemon's folder.
        case path
    }

    let option: Verb.Option
    /// The keys that lead to it: `["retry", "delay_seconds"]`.
    let path: [String]
    let kind: Kind

    private init(
        _ spelling: String, _ value: String?, _ path: [String], _ kind: Kind, of meaning: Verb.Meaning = .text,
        _ summary: String
    ) {
        option = Verb.Option(spelling, value: value, of: meaning, summary)
        self.path = path
        self.kind = kind
    }

    /// When: several of them make several schedules of the one job.
    static let schedules = [
        JobOption("--cron", "EXPRESSION", ["cron"], .text, "a cron expression: '0 9 * * MON-FRI', '@daily'"),
        JobOption("--every", "DURATION", ["interval"], .text, "a rhythm: 10s, 30m, '1 day', 1h30m"),
        JobOption("--at", "T", ["once"], .text, "once: 2026-12-25T09:00, 19:30, tomorrow, 'in 2 hours'"),
        JobOption("--calendar", "EXPRESSION", ["calendar"], .text, "a systemd calendar event: 'Mon..Fri 09:00'"),
    ]

    /// What, where it is no command behind `--`.
    static let works = [
        JobOption("--shell", "LINE", ["command"], .text, "a line for /bin/sh, in place of a command behind --"),
        JobOption("--message", "TEXT", ["message"], .text, "what an agent is told"),
        JobOption("--skill", "NAME", ["skill"], .text, "a skill that an agent runs"),
        JobOption("--script", "FILE", ["script"], .path, of: .file, "a Python script"),
    ]

    static let others = [
        JobOption("--after", "JOB", ["after", "jobs"], .list, of: .job, "when this job succeeded; of several all"),
        JobOption("--queue", "NAME", ["trigger", "queue"], .text, "a run for each item of this queue"),
        JobOption("--results", "NAME", ["result_queue"], .text, "the queue that gets what its runs gave"),
        JobOption("--group", "GROUP", ["hold_group"], .text, "it waits while this group is to wait"),
        JobOption("--project", "FOLDER", ["project"], .path, of: .folder, "with --message: where the agent works"),
        JobOption("--persona", "NAME", ["persona"], .text, "with --message, --skill: as whom"),
        JobOption("--input", "NAME=VALUE", ["inputs"], .members, "an input of the skill; once for each"),
        JobOption("--mode", "RUNNER", ["execution_mode"], .text, "the runner, as in schedules.runners"),
        JobOption("--title", "TEXT", ["title"], .text, "a name for people"),
        JobOption("--description", "TEXT", ["description"], .text, "what it is for"),
        JobOption("--tag", "TAG", ["tags"], .list, "a tag; once for each"),
        JobOption("--timezone", "ZONE", ["timezone"], .text, of: .zone, "the zone of its schedules: Europe/Berlin"),
        JobOption("--jitter", "DURATION", ["jitter"], .duration, "a delay of at most so long, always the same"),
        JobOption("--timeout", "DURATION", ["timeout"], .duration, "how long an attempt may take"),
        JobOption(
            "--expect-every", "DURATION", ["expect_every"], .duration, "told as late, without a success for so long"),
        JobOption("--expect-by", "HH:MM", ["expect_by"], .text, "the same, without one by this time of each day"),
        JobOption("--expect-within", "DURATION", ["expect_within"], .duration, "the same of a run that takes longer"),
        JobOption("--attempts", "N", ["retry", "max_attempts"], .integer, "how often it is tried, the first time too"),
        JobOption("--retry-delay", "DURATION", ["retry", "delay_seconds"], .duration, "before the second attempt"),
        JobOption(
            "--overlap", "POLICY", ["overlap_policy"], .text, of: .choice(OverlapPolicy.allCases.map(\.rawValue)),
            "skip, queue, queue_one, allow, replace"),
        JobOption(
            "--catch-up", "POLICY", ["catchup_policy"], .text, of: .choice(CatchUpPolicy.Kind.allCases.map(\.rawValue)),
            "what was missed: none, latest, all, spread"),
        JobOption(
            "--from-end", nil, ["interval_from"], .fixed("end"), "--every counts from the end of the last run"),
        JobOption(
            "--delete-after", "DURATION", ["delete_after"], .duration, "so long after it is finished it removes itself"),
        JobOption("--max-runs", "N", ["max_executions"], .integer, "then it is finished"),
        JobOption("--priority", "N", ["priority"], .integer, "-20 to 19: who goes first"),
        JobOption("--folder", "FOLDER", ["working_directory"], .path, of: .folder, "where it runs; without it at home"),
        JobOption("--env", "NAME=VALUE", ["environment"], .members, "a variable; once for each"),
        JobOption("--env-file", "FILE", ["environment_file"], .path, of: .file, "variables, a line each"),
        JobOption("--stdin", "TEXT", ["stdin"], .text, "what it reads"),
        JobOption("--on-power", nil, ["conditions", "ac_power"], .fixed(true), "wait for mains power"),
        JobOption("--online", nil, ["conditions", "network"], .fixed("online"), "wait for the network"),
        JobOption("--keep-awake", nil, ["keep_awake"], .fixed(true), "the machine stays awake while it runs"),
        JobOption("--wake", nil, ["wake_system"], .fixed(true), "the machine is woken for it"),
        JobOption("--disabled", nil, ["enabled"], .fixed(false), "its schedules are not in force yet"),
    ]

    static let all = schedules + works + others

    /// The value that the words stand for.
    func value(_ words: [String], _ request: Request) throws(Failure) -> JSONValue {
        let last = words.last ?? ""
        switch kind {
        case .text: return .string(last)
        case .duration: return Int(last).map { .number($0) } ?? .string(last)
        case .integer:
            guard let number = Int(last) else {
                throw request.usage("\(name): found \"\(last)\", expected a whole number")
            }
            return .number(number)
        case .fixed(let value): return value
        case .list: return .array(words.map { .string($0) })
        case .path: return .string(absolutePath(last))
        case .members:
            var members = JSONObject()
            for (name, value) in try request.pairs(name) ?? [] { members[name] = .string(value) }
            return .object(members)
        }
    }

    var name: String { option.spellings[0] }
}
