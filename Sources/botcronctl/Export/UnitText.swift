import JSON
import Schedules
import Scheduling

/// Jobs as timers and services of systemd's user manager, each behind a comment that is its path, as `systemctl cat`
/// prints them. What they cannot say is a comment.
struct UnitText {
    private let zone: TimeZoneRules

    static func text(of jobs: [ExportedJob], zone: TimeZoneRules) -> String {
        let units = UnitText(zone: zone)
        return jobs.map { job in
            switch units.written(job) {
            case .written(_, let lines, let left): (job.comments(left: left) + lines).joined(separator: "\n")
            case .impossible(let reason): "# \(job.job.name): \(reason)"
            }
        }.joined(separator: "\n\n") + "\n"
    }

    private static let folder = "~/.config/systemd/user/"

    private static let known: Set<String> = [
        "stdin", "working_directory", "environment", "environment_file", "jitter", "jitter_seconds", "jitter_ms",
        "wake_system", "timeout", "timeout_seconds", "success_exit_codes",
    ]
    private static let same: [String: JSONValue] = [
        "retry": false, "overlap_policy": "skip", "catchup_policy": "none", "dst": ["gap": "skip"],
        "clean_environment": false,
    ]

    private func written(_ exported: ExportedJob) -> ExportedJob.Result {
        let job = exported.job
        guard !job.schedules.isEmpty else { return .impossible("it has no schedule") }
        guard let work = exported.work else { return .impossible(ExportedJob.noWork) }
        var times: [String] = []
        for schedule in job.schedules {
            guard let lines = lines(of: schedule, job) else {
                return .impossible("a timer has no words for the \(schedule.type) schedule \"\(schedule.text)\"")
            }
            times += lines
        }
        // What is not of the calendar is never late.
        if job.catchUp.kind != .none, times.contains(where: { $0.hasPrefix("OnCalendar=") }) {
            times.append("Persistent=true")
        }
        if job.jitterMilliseconds > 0 { times.append("RandomizedDelaySec=\(job.jitterMilliseconds)ms") }
        if job.power.wakesSystem { times.append("WakeSystem=true") }
        var known = Self.known
        if job.catchUp.kind == .latest { known.formUnion(["catchup_policy", "catchup_window"]) }
        var left = exported.keysLeft(known: known, same: Self.same)
        if !job.isEnabled { left.append("that it is disabled: do not enable its timer") }
        let title = "Description=" + Self.plain(job.title)
        var timer = ["# \(Self.folder)\(job.name).timer", "[Unit]", title, "", "[Timer]"] + times
        let ending = ["", "[Install]", "WantedBy=timers.target"]
        if case .arguments(let words) = work, words.count == 5, words.starts(with: Self.start) {
            timer.append("Unit=\(words[4])")
            return .written(lines: timer + ending, left: left)
        }
        guard let service = service(exported, work) else {
            return .impossible("its program is a path that is neither absolute nor a name")
        }
        return .written(
            lines: timer + ending + ["", "# \(Self.folder)\(job.name).service", "[Unit]", title, ""] + service,
            left: left)
    }

    private static let start = ["systemctl", "--user", "start", "--wait"]

    // MARK: - The service

    private func service(_ exported: ExportedJob, _ work: ExportedJob.Work) -> [String]? {
        let job = exported.job
        let words: [String]
        switch work {
        case .shell(let text): words = ["/bin/sh", "-c", text]
        case .arguments(let arguments): words = arguments
        }
        guard let program = words.first, program.hasPrefix("/") || !program.contains("/"), !program.isEmpty else {
            return nil
        }
        var lines = ["[Service]", "Type=oneshot", "ExecStart=" + words.map { Self.word($0) }.joined(separator: " ")]
        for (name, value) in exported.environment {
            lines.append("Environment=" + Self.word("\(name)=\(value)", dollar: false))
        }
        if let path = job.environmentFile { lines.append("EnvironmentFile=\(Self.path(path))") }
        if !job.workingDirectory.isEmpty { lines.append("WorkingDirectory=\(Self.path(job.workingDirectory))") }
        if job.timeout > .zero { lines.append("TimeoutStartSec=\(job.timeout.components.seconds)") }
        if job.successExitCodes != [0] {
            lines.append("SuccessExitStatus=" + job.successExitCodes.sorted().map(String.init).joined(separator: " "))
        }
        if let input = job.standardInput, !input.isEmpty {
            // Each of these gets a line's end.
            let text = input.unicodeScalars.last == "\n" ? String(input.dropLast()) : input
            lines.append("StandardInput=data")
            lines.append("StandardInputText=\(Self.escaped(text, dollar: false))")
        }
        return lines
    }

    /// A word in quotes, with what systemd would fill in doubled. A dollar sign is one of them in a command alone.
    private static func word(_ text: String, dollar: Bool = true) -> String {
        let isPlain = text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/:._-+,@=".contains($0)) }
        return isPlain && !text.isEmpty ? text : "\"\(escaped(text, dollar: dollar))\""
    }

    private static func escaped(_ text: String, dollar: Bool) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            case "\t": escaped += "\\t"
            case "\r": escaped += "\\r"
            case "%": escaped += "%%"
            case "$": escaped += dollar ? "$$" : "$"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    private static func path(_ path: String) -> String {
        let escaped = escaped(path, dollar: false)
        return escaped.hasPrefix("~/") ? "%h" + escaped.dropFirst() : escaped
    }

    private static func plain(_ text: String) -> String {
        escaped(String(text.map { $0.isNewline ? " " : $0 }), dollar: false)
    }

    // MARK: - The timer

    private func lines(of schedule: JobSchedule, _ job: Job) -> [String]? {
        switch schedule.type {
        case "calendar":
            let zone = schedule.timetable.schedule.zone == nil ? zoneWord(job) : ""
            return ["OnCalendar=\(schedule.text)\(zone)"]
        case "once":
            let isAbsolute = schedule.timetable.next(after: Instant(seconds: 0))
            guard let instant = isAbsolute else { return nil }
            // 2026-12-25T09:00:00+00:00
            let text = instant.rfc3339(in: .utc)
            return ["OnCalendar=\(text.prefix(10)) \(text.dropFirst(11).prefix(8)) UTC"]
        case "interval": return Self.interval(schedule.text)
        case "cron":
            if schedule.timetable.schedule.kind == .reboot { return ["OnStartupSec=1s"] }
            if schedule.timetable.schedule.kind == .interval {
                return Self.interval(String(schedule.text.drop { $0 != " " }))
            }
            return Self.calendar(schedule.text)?.map { "OnCalendar=\($0)\(zoneWord(job))" }
        default: return nil
        }
    }

    private func zoneWord(_ job: Job) -> String {
        job.zone.name == zone.name || job.zone.name == "local" ? "" : " " + job.zone.name
    }

    /// Days and longer are civil time to us and so many hours to systemd: they have no words there.
    private static func interval(_ text: String) -> [String]? {
        let units: Set<String> = [
            "every", "s", "sec", "secs", "second", "seconds", "m", "min", "mins", "minute", "minutes", "h", "hr", "hrs",
            "hour", "hours",
        ]
        let words = text.lowercased().split { !$0.isLetter }
        guard words.allSatisfy({ units.contains(String($0)) }), let length = try? Schedule.parseDuration(text) else {
            return nil
        }
        let span = length.components.seconds
        return ["OnActiveSec=\(span)s", "OnUnitActiveSec=\(span)s"]
    }

    private static let nicknames = [
        "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
        "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
    ]

    /// The events that together are a cron expression; nil where a day is counted from the end of a month or by weeks.
    static func calendar(_ expression: String) -> [String]? {
        let text = nicknames[expression.lowercased()] ?? expression
        var fields = text.split { " \t".contains($0) }
        var second = "00"
        if fields.count == 6 {
            guard let values = CronValues.values(fields.removeFirst(), field: 0) else { return nil }
            second = list(values, all: 60)
        }
        guard fields.count == 5 else { return nil }
        var parts: [[Int]] = []
        for (place, field) in fields.enumerated() {
            guard let values = CronValues.values(field, field: place) else { return nil }
            parts.append(values)
        }
        let time = "\(list(parts[1], all: 24)):\(list(parts[0], all: 60)):\(second)"
        let month = list(parts[3], all: 12)
        let names = parts[4].map { CronValues.weekdays[$0] }
        let weekdays = names.count == 7 ? "" : names.joined(separator: ",") + " "
        let day = list(parts[2], all: 31)
        // Two day fields that are both bounded: either is enough.
        let isEither = !"*?".contains(fields[2].first ?? "*") && !"*?".contains(fields[4].first ?? "*")
        guard isEither else { return ["\(weekdays)*-\(month)-\(day) \(time)"] }
        return ["*-\(month)-\(day) \(time)", "\(weekdays)*-\(month)-* \(time)"]
    }

    private static func list(_ values: [Int], all count: Int) -> String {
        if values.count == count { return "*" }
        return values.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ",")
    }
}
