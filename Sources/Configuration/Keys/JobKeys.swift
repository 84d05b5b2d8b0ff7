// Long because it is one table, a row for each key of a job.

extension DocumentedKeys {
    /// The keys of a job, by subject.
    public static let job = [identity, schedules, timing, what, process, resources, retry, policies, conditions, older]

    private static let identity = DocumentedKeys(
        "A job: its name",
        "A key that begins with x- is a comment; any other that nobody knows makes the job one that cannot run.",
        [
            DocumentedKey(
                "name", or: ["job_id", "schedule_id", "id"],
                "What it is called: 1 to 128 letters, digits, _ - . and :, and no other job has it.",
                example: #"{"name": "backup"}"#),
            DocumentedKey(
                "title", or: ["job_name"], "A name for people.", example: #"{"title": "The nightly backup"}"#),
            DocumentedKey("description", "What it is for.", example: #"{"description": "Notes to the NAS"}"#),
            DocumentedKey("tags", default: "[]", "Words to choose jobs by.", example: #"{"tags": ["home", "disk"]}"#),
            DocumentedKey("metadata", "An object that is kept for others.", example: #"{"metadata": {"team": "a"}}"#),
            DocumentedKey(
                "owner", or: ["user_id", "module_id"], "Which program it belongs to.", example: #"{"owner": "editor"}"#),
            DocumentedKey("version", "A number that its owner counts.", example: #"{"version": 2}"#),
            DocumentedKey(
                "enabled", default: "true", "Whether its schedules are in force; botcronctl disable overrides it.",
                example: #"{"enabled": false}"#),
        ])

    private static let schedules = DocumentedKeys(
        "A job: its schedule",
        "A job has one of these, or several as the array schedules; with none it runs by hand or after another one.",
        [
            DocumentedKey(
                "cron", or: ["cron_expr"], "Five fields, six with the seconds first, or a nickname such as @daily.",
                example: #"{"cron": "0 9 * * MON-FRI"}"#),
            DocumentedKey(
                "interval", "A rhythm that is counted from start_at, else from when the job was first seen.",
                example: #"{"interval": "90m"}"#),
            DocumentedKey(
                "once", "One instant; \"in 2 hours\" counts from when the job was first seen.",
                example: #"{"once": "2190-12-25T09:00"}"#),
            DocumentedKey(
                "calendar", or: ["on_calendar"], "A calendar event as systemd.time(7) has it.",
                example: #"{"calendar": "Mon..Fri 09:00"}"#),
            DocumentedKey(
                "after",
                """
                When another job ends, with success, failure or any; with jobs, an array, when all of them have since \
                its own last run.
                """,
                example: #"{"after": {"jobs": ["backup", "report"], "on": "success"}}"#),
            DocumentedKey(
                "schedules", "Several of them, an object each.",
                example: #"{"schedules": [{"cron": "@daily"}, {"calendar": "Sat 12:00"}]}"#),
            DocumentedKey(
                "poll",
                "A command that is asked at each interval: 0 is run, with what it prints as input; 1 is nothing to do.",
                example: #"{"poll": {"interval": "5m", "condition": ["test", "-e", "/tmp/flag"]}}"#),
            DocumentedKey(
                "trigger",
                "A queue whose items start it: a run for each, which reads it, or for up to batch of them, as an array.",
                example: #"{"trigger": {"queue": "mail", "batch": 10}}"#),
        ])

    private static let timing = DocumentedKeys(
        "A job: what holds for its schedules",
        [
            DocumentedKey(
                "timezone", default: "the section's", "Their zone; local follows the machine.",
                example: #"{"timezone": "Europe/Berlin"}"#),
            DocumentedKey(
                "dst", default: #"{"gap": "run_after", "overlap": "first"}"#,
                """
                What becomes of a time of day that the clock skips (run_after, skip) or shows twice (first, both).
                """,
                example: #"{"dst": {"gap": "skip", "overlap": "both"}}"#),
            DocumentedKey(
                "start_at", "The first instant of the window; it belongs to it.",
                example: #"{"start_at": "2026-01-01T00:00", "end_at": "2190-12-31T23:59"}"#),
            DocumentedKey("end_at", "The last one; so does it."),
            DocumentedKey(
                "max_executions", "After so many runs the job is finished.", example: #"{"max_executions": 10}"#),
            DocumentedKey(
                "interval_from", default: "grid",
                "What an interval counts from: grid, or end, the end of the last run.",
                example: #"{"interval": "30m", "interval_from": "end"}"#),
            DocumentedKey(
                "delete_after",
                "A job that is finished and came over the bus removes itself after so long; its history stays.",
                example: #"{"once": "2190-12-25T09:00", "delete_after": "7d"}"#),
            DocumentedKey(
                "jitter", default: "0", "A delay up to this, the same for the same fire time on every machine.",
                example: #"{"jitter": "30s"}"#),
            DocumentedKey("jitter_ms", "The same in milliseconds.", example: #"{"jitter_ms": 500}"#),
            DocumentedKey("jitter_seconds", "The same in seconds.", example: #"{"jitter_seconds": 30}"#),
            DocumentedKey(
                "exclude", default: "[]", "Days or calendar events that are left out, and recorded so.",
                example: #"{"exclude": ["2026-12-25", "Sat,Sun"]}"#),
            DocumentedKey(
                "allow_past", or: ["allow_past_events"], default: "the section's",
                "Whether a once in the past runs at once, in place of an error.",
                example: #"{"once": "2026-01-01T00:00", "allow_past": true}"#),
        ])

    private static let what = DocumentedKeys(
        "A job: what it runs", "A job has exactly one of the first five.",
        [
            DocumentedKey(
                "command", "An array is an argv; a string goes to /bin/sh -c.",
                example: #"{"command": ["rsync", "-a", "notes/", "/mnt/backup/"]}"#),
            DocumentedKey(
                "script", "A Python script.", example: #"{"script": "~/bin/report.py", "args": ["--weekly"]}"#),
            DocumentedKey("skill", "A skill that the runner of execution_mode runs.", example: #"{"skill": "coffee"}"#),
            DocumentedKey(
                "message", "What an agent is told.",
                example: #"{"message": "Write the standup", "project": "~/src/app"}"#),
            DocumentedKey(
                "agentool_name", or: ["function_name", "workflow_id"], "A tool that a runner of your own runs.",
                example: #"{"agentool_name": "sync", "execution_mode": "agent"}"#),
            DocumentedKey("args", "The arguments of script."),
            DocumentedKey("project", "Where the agent of a message works."),
            DocumentedKey(
                "persona", "As whom a skill or a message is run.",
                example: #"{"skill": "coffee", "persona": "developer"}"#),
            DocumentedKey(
                "inputs", or: ["input_data", "parameters"], default: "{}", "The inputs of a skill, by name.",
                example: #"{"skill": "coffee", "inputs": {"cups": 2}}"#),
            DocumentedKey(
                "execution_mode", default: "the section's", "The runner.",
                example: #"{"skill": "coffee", "execution_mode": "claude_prompt"}"#),
        ])

    private static let process = DocumentedKeys(
        "A job: its process",
        [
            DocumentedKey(
                "working_directory", default: "your home folder", "Where it runs; ~ is understood.",
                example: #"{"working_directory": "~/src"}"#),
            DocumentedKey(
                "environment", default: "{}", "Variables on top of the session's, as it is when the run starts.",
                example: #"{"environment": {"LANG": "C.UTF-8"}}"#),
            DocumentedKey(
                "environment_file", "More variables, from a file that only you can read.",
                example: #"{"environment_file": "~/.config/backup.env"}"#),
            DocumentedKey(
                "clean_environment", default: "false", "A short list of variables in place of the session's.",
                example: #"{"clean_environment": true}"#),
            DocumentedKey(
                "credentials", default: "{}",
                "Files in CREDENTIALS_DIRECTORY, from a file or the secret service (secret:NAME).",
                example: #"{"credentials": {"token": "~/token", "key": "secret:github"}}"#),
            DocumentedKey(
                "stdin", default: "/dev/null", "What it reads: text or JSON.", example: #"{"stdin": "yes\n"}"#),
            DocumentedKey(
                "timeout", or: ["timeout_seconds"], default: "the section's execution_timeout",
                "How long an attempt may take; then TERM goes to its whole process tree. 0: for ever.",
                example: #"{"timeout": "2h"}"#),
            DocumentedKey(
                "kill_grace", default: "10s", "So long after TERM comes KILL.", example: #"{"kill_grace": 30}"#),
            DocumentedKey(
                "stall_timeout", default: "none", "How long it may write nothing.",
                example: #"{"stall_timeout": "10m", "on_stall": "retry"}"#),
            DocumentedKey(
                "on_stall", default: "notify", "What happens then: notify (who is told of it hears), kill, retry."),
            DocumentedKey(
                "success_exit_codes", default: "[0]", "Exit codes that are a success.",
                example: #"{"success_exit_codes": [0, 24]}"#),
            DocumentedKey(
                "output_limit", default: "1 MiB", "Bytes that are kept of what it writes: the first and the last half.",
                example: #"{"output_limit": 65536}"#),
            DocumentedKey(
                "journal_output", default: "false", "Whether what it writes goes to the journal as well.",
                example: #"{"journal_output": true}"#),
            DocumentedKey(
                "on_stop", default: "leave", "When the daemon stops: leave (the run goes on), finish, kill.",
                example: #"{"on_stop": "finish"}"#),
        ])

    private static let resources = DocumentedKeys(
        "A job: its limits",
        """
        Where a user manager is on the bus they hold for all processes of an attempt together; without one for each \
        alone, and cpu_quota does not hold.
        """,
        [
            DocumentedKey(
                "resources", "An object with these keys.",
                example: """
                    {"resources": {"memory_max": "512M", "cpu_quota": "50%", "tasks_max": 64, "nice": 5, \
                    "io_class": "idle"}}
                    """),
            DocumentedKey("resources.memory_max", "Bytes, with K, M, G or T, or a share of the machine's such as 10%."),
            DocumentedKey("resources.cpu_quota", "Percent of one processor."),
            DocumentedKey("resources.tasks_max", "Processes and threads."),
            DocumentedKey("resources.nice", "From -20 to 19."),
            DocumentedKey("resources.io_class", "realtime, best-effort or idle."),
        ])

    private static let retry = DocumentedKeys(
        "A job: retries", "false in place of the object is no retry, whatever default_retry says.",
        [
            DocumentedKey(
                "retry", default: "default_retry", "An object with these keys.",
                example: """
                    {"retry": {"max_attempts": 3, "delay_seconds": 60, "backoff_multiplier": 3, \
                    "max_delay_seconds": "10m", "jitter": 0.1, "retry_on": ["network", "exit:75"]}}
                    """),
            DocumentedKey("retry.max_attempts", default: "3", "How often it is tried, the first time too."),
            DocumentedKey(
                "retry.delay_seconds", or: ["initial_delay_seconds", "retry_delay"], default: "60",
                "Before the second attempt."),
            DocumentedKey(
                "retry.backoff", default: "exponential", "How the delay grows: exponential, linear.",
                example: #"{"retry": {"backoff": "linear"}}"#),
            DocumentedKey("retry.backoff_multiplier", default: "2", "By what it is multiplied each time."),
            DocumentedKey("retry.max_delay_seconds", default: "3600", "What it does not grow beyond."),
            DocumentedKey("retry.jitter", default: "0", "The share of the delay that is left to chance, 0 to 1."),
            DocumentedKey(
                "retry.retry_on", default: "any",
                "What is tried again: any, a type of failure, exit:CODE, exit:FROM-TO, signal:NAME, interrupted."),
            DocumentedKey(
                "retry.max_retry_attempts", "In the older spelling: how many retries follow the first attempt.",
                example: #"{"retry": {"max_retry_attempts": 2}}"#),
        ])

    private static let policies = DocumentedKeys(
        "A job: policies",
        [
            DocumentedKey(
                "overlap_policy", default: "skip",
                "When a run is due while one is active: skip, queue, queue_one, allow, replace.",
                example: #"{"overlap_policy": "allow", "max_instances": 3}"#),
            DocumentedKey("max_instances", "With allow: so many at a time."),
            DocumentedKey(
                "catchup_policy", default: "latest",
                "What becomes of fire times that were missed in sleep or downtime: none, latest, all, spread.",
                example: #"{"catchup_policy": "all", "catchup_window": "2 days", "catchup_limit": 5}"#),
            DocumentedKey("catchup_window", default: "1 day", "Older ones are recorded as missed."),
            DocumentedKey("catchup_limit", default: "100", "So are more of them."),
            DocumentedKey(
                "coalesce", "In another spelling: true is latest, false is all.", example: #"{"coalesce": true}"#),
            DocumentedKey(
                "misfire_grace_time", default: "300", "Up to so many seconds late, a fire time simply runs late.",
                example: #"{"misfire_grace_time": 60}"#),
            DocumentedKey(
                "priority", default: "0", "Who goes first where runs wait: -20, and last 19.",
                example: #"{"priority": -5}"#),
            DocumentedKey(
                "budget", default: "none", "An object with these keys.",
                example: #"{"budget": {"runs_per_day": 24, "wall_time_per_day": "2h", "cost_per_day": 1.5}}"#),
            DocumentedKey("budget.runs_per_day", "Runs."),
            DocumentedKey("budget.wall_time_per_day", "The time that they take together."),
            DocumentedKey("budget.cost_per_day", "What they say that they cost."),
            DocumentedKey(
                "hold_group", default: "the runner of what an agent runs",
                "Jobs of one group wait together: once a run has said hold, or after botcronctl pause --group. \"\" is none.",
                example: #"{"hold_group": "claude"}"#),
            DocumentedKey(
                "pause_on_failures", default: "none", "So many failed runs in a row take its schedule out of force.",
                example: #"{"pause_on_failures": 5}"#),
            DocumentedKey(
                "on_success", default: "[]", "Jobs to run next.",
                example: #"{"on_success": ["report"], "on_failure": ["rollback"]}"#),
            DocumentedKey("on_failure", default: "[]", "Jobs to run next."),
            DocumentedKey(
                "history_limit", default: "100", "How many of its runs stay on record.",
                example: #"{"history_limit": 20}"#),
            DocumentedKey(
                "keep_awake", default: "false", "The machine does not go to sleep while it runs.",
                example: #"{"keep_awake": true}"#),
            DocumentedKey(
                "on_sleep", default: "continue",
                "continue; stop: the run ends, and is on record as interrupted; wait: it holds off the sleep.",
                example: #"{"on_sleep": "wait"}"#),
            DocumentedKey(
                "wake_system", default: "false", "The machine is woken for its fire times.",
                example: #"{"wake_system": true, "sleep_again": true}"#),
            DocumentedKey(
                "sleep_again", default: "false", "After it was woken for such jobs only, it sleeps again."),
            DocumentedKey(
                "trace_enabled", default: "the section's", "Whether it gets a TRACEPARENT.",
                example: #"{"trace_enabled": false}"#),
            DocumentedKey(
                "precheck", "A command that says whether a run that is due has something to do, as of poll.",
                example: #"{"precheck": ["test", "-s", "/tmp/inbox"]}"#),
            DocumentedKey(
                "notify", default: "the section's",
                """
                Whom its runs are told to: names of targets, or objects of target and on. on says of what: \
                start, success, retry, failure, first_failure, recovered, changed, missed, stalled, late, paused, \
                asked; where it is not given failure, recovered, missed, paused, stalled, late and asked, for memory \
                and slack success too. An empty array is silence.
                """,
                example: #"{"notify": ["desktop", {"target": "toast", "on": ["first_failure", "recovered"]}]}"#),
            DocumentedKey(
                "quiet_hours", default: "the section's", "Messages wait meanwhile, and are one in the end.",
                example: #"{"quiet_hours": "22:00-07:00"}"#),
            DocumentedKey(
                "result_queue", "A queue that the outcome of a success is put into.",
                example: #"{"result_queue": "done"}"#),
            DocumentedKey(
                "error_queue", "A queue that the outcome of a failure is put into.",
                example: #"{"error_queue": "failed"}"#),
            DocumentedKey(
                "expect_within", default: "none", "A run that is still under way after so long is late, and told so.",
                example: #"{"expect_within": "30m"}"#),
            DocumentedKey(
                "expect_every", default: "none",
                """
                Without a success for so long the job is late, which is told once; the machine's sleep counts, a time \
                in which the job is disabled does not.
                """,
                example: #"{"expect_every": "26h"}"#),
            DocumentedKey(
                "expect_by", default: "none",
                "A time of day; without a success since the last one the job is late, which is told each day.",
                example: #"{"expect_by": "08:00"}"#),
            DocumentedKey(
                "heartbeat",
                """
                A URL that is called at the end of a success; with /start at the start of a run, with /fail and the \
                last of its output at the end of one that failed.
                """,
                example: #"{"heartbeat": "https://example.org/ping"}"#),
        ])

    private static let conditions = DocumentedKeys(
        "A job: conditions", "A run waits until all of them hold. What cannot be known holds.",
        [
            DocumentedKey(
                "conditions", default: "none", "An object with these keys.",
                example: """
                    {"conditions": {"ac_power": true, "battery_min": 30, "network": "unmetered", "idle": "5m", \
                    "load_max": 2, "pressure_max": 10, "path_exists": "/mnt/backup", "command": ["true"]}}
                    """),
            DocumentedKey("conditions.ac_power", "true: on mains power."),
            DocumentedKey("conditions.battery_min", "With so many per cent or more."),
            DocumentedKey("conditions.network", "online or unmetered."),
            DocumentedKey("conditions.idle", "When nobody has used the machine for so long."),
            DocumentedKey("conditions.load_max", "At this load average of one minute, or below."),
            DocumentedKey(
                "conditions.pressure_max", "While processes wait for a processor at most so many per cent of the time."),
            DocumentedKey("conditions.path_exists", "When there is something under the path."),
            DocumentedKey("conditions.command", "When it exits with 0; asked when all others hold, and each minute."),
            DocumentedKey(
                "conditions_timeout", default: "1h", "How long a run waits for them.",
                example: #"{"conditions": {"ac_power": true}, "conditions_timeout": "3h", "conditions_action": "run"}"#),
            DocumentedKey("conditions_action", default: "skip", "What happens to it then: skip, run."),
            DocumentedKey(
                "conditions_lost", default: "continue",
                """
                When one of them (not the load, nor a command) ends while the run goes on: continue; stop: the run ends, \
                and is on record as interrupted.
                """,
                example: #"{"conditions": {"ac_power": true}, "conditions_lost": "stop"}"#),
        ])

    private static let older = DocumentedKeys(
        "A job: other spellings", "These come from other schedulers, and are read as what they mean.",
        [
            DocumentedKey("paused", "The opposite of enabled.", example: #"{"paused": true}"#),
            DocumentedKey("status", "enabled or disabled.", example: #"{"status": "enabled"}"#),
            DocumentedKey(
                "schedule_type", "cron, interval, once or calendar, with the expression as schedule or value.",
                example: #"{"schedule_type": "cron", "schedule": "0 9 * * *"}"#),
            DocumentedKey("schedule", "The expression; or an object of type and value."),
            DocumentedKey(
                "value", "The expression.", example: #"{"schedule_type": "interval", "value": "2h"}"#),
            DocumentedKey(
                "recurring", "Whether interval_type and interval_value make an interval.",
                example: #"{"recurring": true, "interval_type": "days", "interval_value": 2}"#),
            DocumentedKey("interval_type", "Its unit."),
            DocumentedKey("interval_value", "How many of them."),
            DocumentedKey(
                "schedule_time", "When it begins; alone it is once.", example: #"{"schedule_time": "2190-01-01T00:00"}"#
            ),
            DocumentedKey(
                "poll_interval", "With trigger: poll, the interval of poll.",
                example: #"{"trigger": "poll", "poll_interval": "5m", "condition": "test -e /tmp/flag"}"#),
            DocumentedKey("condition", "With it, the condition of poll."),
        ])
}
