extension DocumentedKeys {
    /// The keys of the section `schedules`.
    public static let section = DocumentedKeys(
        "The section",
        """
        All of them stand in the object "schedules". A key of the section that nobody knows is a warning; one that \
        begins with x- is a comment.
        """,
        [
            DocumentedKey("jobs", default: "[]", "The jobs, an object each.", example: #"{"jobs": []}"#),
            DocumentedKey(
                "enabled", default: "true", "Whether schedules are in force; botcronctl pause overrides it.",
                example: #"{"enabled": true}"#),
            DocumentedKey(
                "timezone", default: "the machine's", "The zone of jobs that name none.",
                example: #"{"timezone": "America/New_York"}"#),
            DocumentedKey(
                "execution_mode", default: "claude_cli", "The runner of jobs with a skill that name none.",
                example: #"{"execution_mode": "claude_cli"}"#),
            DocumentedKey(
                "runners", default: "built in",
                """
                An argv template for each runner: {"command": [argv]}, or {"extra_arguments": […]} for one that is built \
                in. Each ${variable} becomes a part of one argument, never shell text; the variables are \
                \(TemplateVariable.names.joined(separator: ", ")).
                """,
                example: #"{"runners": {"agent": {"command": ["agent", "--task", "${skill}"]}}}"#),
            DocumentedKey(
                "environment", default: "{}",
                "Variables of every job, on top of the session's; ~ and $HOME are the home folder.",
                example: #"{"environment": {"EDITOR": "vi", "CONFIG": "~/agents"}}"#),
            DocumentedKey(
                "path", default: "[]",
                "Folders where programs are looked for first; ~/.local/bin is looked through last, where it exists.",
                example: #"{"path": ["~/bin", "/opt/agents/bin"]}"#),
            DocumentedKey(
                "default_retry", default: "none", "What the retry of each job is laid over.",
                example: #"{"default_retry": {"max_attempts": 3, "delay_seconds": 30}}"#),
            DocumentedKey(
                "execution_timeout", default: "300s", "How long an attempt may take where the job says nothing.",
                example: #"{"execution_timeout": "10m"}"#),
            DocumentedKey(
                "max_concurrent_executions", default: "10", "So many runs at a time; further ones wait, by priority.",
                example: #"{"max_concurrent_executions": 4}"#),
            DocumentedKey(
                "launch_rate", default: "none", "At most so many runs start in a minute.",
                example: #"{"launch_rate": 60}"#),
            DocumentedKey(
                "wake_settle", default: "10s", "How long catch-up waits after the machine woke up.",
                example: #"{"wake_settle": "20s"}"#),
            DocumentedKey(
                "wake_spread", default: "60s", "Over how long catch-up is spread then.",
                example: #"{"wake_spread": "5m"}"#),
            DocumentedKey(
                "stop_timeout", default: "90s",
                "How long a daemon that stops waits for runs of jobs with on_stop: finish.",
                example: #"{"stop_timeout": "30s"}"#),
            DocumentedKey(
                "retention_days", default: "30", "How long runs stay on record, within history_limit of their job.",
                example: #"{"retention_days": 90}"#),
            DocumentedKey(
                "auto_cleanup_enabled", default: "true", "Whether older runs are removed at all.",
                example: #"{"auto_cleanup_enabled": true}"#),
            DocumentedKey(
                "cleanup_interval_hours", default: "24", "How often that is done.",
                example: #"{"cleanup_interval_hours": 12}"#),
            DocumentedKey(
                "failure_patterns", default: "built in",
                "Texts in errors and output that tell a type of failure, for retry_on and remediation.",
                example: #"{"failure_patterns": {"license": ["no seat left"]}}"#),
            DocumentedKey(
                "remediation", default: "none", "A command for a type of failure, run before the retry.",
                example: #"{"remediation": {"auth": ["kinit", "-R"]}}"#),
            DocumentedKey(
                "allow_past_events", default: "false", "Whether a once in the past runs at once, in place of an error.",
                example: #"{"allow_past_events": true}"#),
            DocumentedKey(
                "trace_enabled_by_default", default: "true", "Whether jobs that say nothing get a TRACEPARENT.",
                example: #"{"trace_enabled_by_default": false}"#),
            DocumentedKey(
                "notifications", default: "none",
                """
                The settings of targets: memory has a directory, command an argv, which gets the message as JSON on \
                its standard input; slack a webhook or webhook_file, webhook a url and a secret_file, which signs, a \
                secret a line; email has to, from and sendmail, an argv, or smtp, an object of url, user, \
                password_file, tls (required, or none) and insecure. ca_file names certificates that are trusted in \
                place of the machine's. toast: true tells that file whatever is told at all. targets has further \
                ones, each with a name and a type.
                """,
                example: """
                    {"notifications": {"memory": {"directory": "~/notes"}, "command": {"argv": ["send-it"]}, \
                    "slack": {"webhook_file": "~/slack"}, "webhook": {"url": "https://example.org/hook"}, "email": \
                    {"to": "ada@example.org", "smtp": {"url": "smtps://mail.example.org"}}, \
                    "targets": {"diary": {"type": "memory", "directory": "~/diary"}}}}
                    """),
            DocumentedKey(
                "heartbeat", default: "none",
                "A url that is called every so often, 5m where it does not say, for as long as the daemon lives.",
                example: #"{"heartbeat": {"url": "https://example.org/ping", "every": "10m"}}"#),
            DocumentedKey(
                "notify", default: "[]", "Whom the runs of jobs are told to that say nothing of it.",
                example: #"{"notify": ["desktop"]}"#),
            DocumentedKey(
                "quiet_hours", default: "none", "When messages about jobs wait that say nothing of it.",
                example: #"{"quiet_hours": "22:00-07:00"}"#),
            DocumentedKey(
                "budget", default: "none", "What all jobs together may use up in a day: the keys of a job's budget.",
                example: #"{"budget": {"runs_per_day": 200, "cost_per_day": 10}}"#),
            DocumentedKey("description", "For people.", example: #"{"description": "Jobs of the laptop"}"#),
            DocumentedKey(
                "retry_failed_events", default: "whether one of the next two is given",
                "In the spelling of another scheduler: whether failures are tried again.",
                example: #"{"retry_failed_events": true, "max_retry_attempts": 2, "retry_delay": 60}"#),
            DocumentedKey("max_retry_attempts", default: "3", "The same: how many retries follow the first attempt."),
            DocumentedKey("retry_delay", default: "60", "The same: seconds before the next attempt."),
            DocumentedKey(
                "check_interval", "Ignored: fire times are met by a timer.", example: #"{"check_interval": 60}"#),
        ])

    /// The tables of the section and of a job, in the order of the manual.
    public static let all = [section] + job
}
