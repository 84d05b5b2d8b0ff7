/// The command line of `botcrond` as help and the manual have it. Both programs must say the same of it; what it does
/// is in `botcrond`, and a test holds the two together.
public enum DaemonCommandLine {
    public struct Option: Sendable {
        public let name: String
        /// What stands for its value; nil for a flag.
        public let value: String?
        public let summary: String

        init(_ name: String, value: String? = nil, _ summary: String) {
            self.name = name
            self.value = value
            self.summary = summary
        }
    }

    public static let summary = "Keeps your jobs on time, and answers as com.aiworkflow.BotCron on the session bus."

    /// How the daemon runs.
    public static let settings = [
        Option("--config", value: "FILE", "the configuration (default: ~/.config/aa-workflow/config.json)"),
        Option("--state-dir", value: "DIR", "the store and the output of runs (default: ~/.local/state/aa-workflow)"),
        Option("--bus", value: "ADDRESS", "another bus than the session's"),
        Option("--verbose", "log a developer's trace, too"),
    ]

    /// What it does in place of running.
    public static let questions = [
        Option("--list-jobs", "read the configuration, print its jobs and their next fire times, and exit"),
        Option("--run-job", value: "NAME", "ask the running daemon for a run, and exit"),
        Option("--status", "ask the running daemon how it is, and exit"),
        Option("--stop", "ask the running daemon to stop, and exit"),
        Option("--version", "print the version, and exit"),
        Option("--help", "print this, and exit"),
    ]

    public static let exitCodes: [(code: Int32, meaning: String)] = [
        (ExitCode.success, "it was stopped in good order, or did what it was asked"),
        (ExitCode.failure, "failure"),
        (ExitCode.usage, "wrong usage"),
        (ExitCode.unavailable, "no bus, no daemon or another daemon, or a store that cannot be opened for now"),
        (ExitCode.cannotCreate, "the state folder or the store cannot be made, or a newer version wrote it"),
    ]

    public static var help: String {
        var lines = ["Usage: botcrond [OPTION…]", "", summary, ""]
        for options in [settings, questions] {
            lines += columns(options.map { ($0.name + ($0.value.map { " " + $0 } ?? ""), $0.summary) }) + [""]
        }
        lines += ["Exit status:"] + columns(exitCodes.map { ("\($0.code)", $0.meaning) })
        return lines.joined(separator: "\n")
    }

    private static func columns(_ rows: [(left: String, right: String)]) -> [String] {
        let width = 18
        return rows.map { "  " + $0.left + String(repeating: " ", count: max(1, width - $0.left.count)) + $0.right }
    }
}
