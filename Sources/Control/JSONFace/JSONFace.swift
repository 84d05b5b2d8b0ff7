// Long because it is the one declaration of an interface, and nothing else.

internal import Contract
internal import DBus
internal import JSON
internal import Performing

/// The JSON face, `Address.interface`: snake-case methods with JSON in strings, which scripts, a Python client and
/// an editor extension call.
///
/// This declaration is the only one: dispatch, the check of arguments and introspection come from it, and a test holds
/// `dbus/com.aiworkflow.BotCron.xml` against it. The handlers are in `JSONFace+….swift`, by subject. It keeps nothing:
/// what has a state is a part of its own.
struct JSONFace {
    let scheduler: any SchedulerReading
    let settings: any SettingsControl
    let service: any ServiceControl
    let catalogue: Catalogue
    let telling: RunTelling
    let requests: Requests
    let outputs: RunOutputs
    let waiters: Waiters
    let lists: JobLists
    let steps: Steps
    let report: ServiceReport
    let health: HealthReport
    let metrics: Metrics
    let mirror: StateMirror
    let headline: Headline

    var interface: Interface {
        Interface(
            Place.interface,
            documentation:
                "Keeps a user's jobs on time. Strings marked JSON hold one JSON value; instants are RFC 3339.",
            methods: runMethods + jobMethods + schedulerMethods + queueMethods + serviceMethods, signals: Self.signals,
            properties: properties, takesText: true)
    }

    // MARK: - Arguments used by many

    static var job: Argument { Argument("job", "s", documentation: "The name of a job.") }
    static var jobWithReason: Argument {
        Argument("job", "s", documentation: "The name of a job, or JSON {job, reason}.")
    }
    static var executionID: Argument { Argument("execution_id", "s", documentation: "The execution id of a run.") }
    static var jobJSON: Argument {
        Argument("definition", "s", documentation: "A job: one JSON object with the keys of a definition.")
    }
    static var answer: Argument { Argument("answer", "s", documentation: "JSON.") }
    static var isDone: Argument { Argument("done", "b", documentation: "True; anything else is an error.") }

    // MARK: - Runs

    private var runMethods: [Method] {
        [
            Method(
                "run_job", .request,
                in: [
                    Argument(
                        "job", "s",
                        documentation:
                            "The name of a job, or JSON {job, inputs, scheduled_for, idempotency_key, force}.")
                ],
                out: [Argument("run", "s", documentation: "JSON: the run, running or queued.")],
                documentation:
                    "Starts a run now, whatever the schedule says. Returns as soon as it is recorded and started.",
                runJob),
            Method(
                "run_now", .request, in: [Self.jobJSON], out: [Argument("run", "s", documentation: "JSON: the run.")],
                documentation: "Runs a definition once without scheduling it.", runNow),
            Method(
                "get_run", in: [Self.executionID],
                out: [Argument("run", "s", documentation: "JSON: the run, with its attempts.")],
                documentation: "One run, active or on record.", getRun),
            Method(
                "wait_run", in: [Self.executionID],
                out: [Argument("run", "s", documentation: "JSON: the run as it ended.")],
                documentation: "Replies when the run has ended. The caller picks its own time-out.", waitRun),
            Method(
                "cancel_run", .request, in: [Self.executionID], out: [Self.isDone],
                documentation: "Ends a run: TERM, after a grace time KILL, to the whole process tree.", cancelRun),
            Method(
                "rerun", .request, in: [Self.executionID],
                out: [Argument("run", "s", documentation: "JSON: the new run, running or queued.")],
                documentation: "Runs the job of a run once more, with the same inputs.", rerun),
            Method(
                "backfill", .request,
                in: [
                    Argument(
                        "span", "s",
                        documentation: "JSON {job, from, to, overlap_policy: queue or allow, dry_run}; to: until now.")
                ],
                out: [Argument("made", "s", documentation: "JSON {runs, fire_times}.")],
                documentation: "Runs each fire time of the span that has passed without a run; at most 1000.", backfill),
            Method(
                "questions",
                out: [
                    Argument(
                        "questions", "s",
                        documentation:
                            "JSON: an array of {execution_id, job, question, choices, default, asked_at, until}.")
                ],
                documentation: "What runs ask a person, oldest first.", listQuestions),
            Method(
                "answer_question", .change,
                in: [
                    Self.executionID,
                    Argument("choice", "s", documentation: "One of the choices of the question that it asks."),
                ],
                out: [Self.isDone], documentation: "Answers the question of a run.", answerQuestion),
            Method(
                "get_output",
                in: [
                    Argument(
                        "execution_id", "s",
                        documentation: "A run's, for its last attempt; with .N behind it, for its N-th."),
                    Argument("offset", "x", documentation: "From the first byte that the attempt wrote."),
                    Argument("limit", "u", documentation: "At most so many bytes; 0: 65536; at most 1048576."),
                ],
                out: [
                    Argument(
                        "bytes", "ay",
                        documentation:
                            "What was written, standard output and error as they came; empty where nothing follows."),
                    Argument(
                        "next_offset", "x",
                        documentation:
                            "What to ask for next; beyond offset and bytes where some in between were not kept."),
                ],
                documentation: "What a run wrote, live while it runs.", getOutput),
            Method(
                "get_history",
                in: [
                    Argument(
                        "limit", "i", documentation: "At most so many; 0 or less: 20; at most 1000.", isOptional: true)
                ],
                out: [Argument("runs", "s", documentation: "JSON: an array of runs, newest first.")],
                documentation: "What ran, and what did not run and why.", getHistory),
            Method(
                "query_history",
                in: [
                    Argument(
                        "filter", "s",
                        documentation:
                            "JSON {job, status: one or an array, failed, trigger, since, until, limit, cursor}.")
                ],
                out: [Argument("page", "s", documentation: "JSON {runs, next_cursor}.")],
                documentation: "History by filter, page by page.", queryHistory),
        ]
    }

    // MARK: - Jobs

    private var jobMethods: [Method] {
        [
            Method(
                "list_jobs", out: [Argument("jobs", "s", documentation: "JSON: an array of jobs, by name.")],
                documentation:
                    "Every job, those with an error included. LimitsExceeded where they are too many for one answer.",
                listJobs),
            Method(
                "query_jobs",
                in: [
                    Argument(
                        "filter", "s",
                        documentation: "JSON {names, pattern, tag, owner, status, failed, limit, cursor}.")
                ],
                out: [Argument("page", "s", documentation: "JSON {jobs, next_cursor}.")],
                documentation: "Jobs by filter, by name, page by page.", queryJobs),
            Method(
                "get_job", in: [Self.job],
                out: [Argument("job", "s", documentation: "JSON: the job, its definition, its last runs.")],
                documentation: "One job.", getJob),
            Method(
                "toggle_job", .change,
                in: [Self.job, Argument("enabled", "b", documentation: "Whether the job's schedule is in force.")],
                out: [Self.isDone],
                documentation: "Overrides a job's enabled; survives a restart and a reload.", toggleJob),
            Method(
                "pause_job", .change,
                in: [Argument("job", "s", documentation: "The name of a job, or JSON {job, until, reason}.")],
                out: [Self.isDone],
                documentation:
                    "As toggle_job with false; with until, the job resumes by itself. The reason is shown with it.",
                pauseJob),
            Method(
                "resume_job", .change,
                in: [Self.jobWithReason],
                out: [Self.isDone],
                documentation: "As toggle_job with true.", resumeJob),
            Method(
                "skip_job", .change, in: [Self.jobWithReason],
                out: [Argument("answer", "s", documentation: "JSON {skipped, next_run}.")],
                documentation: "The job's next fire time is recorded as skipped instead of run.", skipJob),
            Method(
                "schedule_job", .change, in: [Self.jobJSON],
                out: [Argument("answer", "s", documentation: "JSON {job_id, next_run}.")],
                documentation: "Creates or replaces a job; it is kept in the store.", scheduleJob),
            Method(
                "cancel_job", .change, in: [Self.jobWithReason], out: [Self.isDone],
                documentation: "Removes a job that was created over the bus; its history stays.", cancelJob),
            Method(
                "explain_job",
                in: [
                    Self.job,
                    Argument(
                        "instant", "s", documentation: "A fire time that is asked about; empty: how the job stands now."
                    ),
                ],
                out: [
                    Argument(
                        "answer", "s", documentation: "JSON {job, at, reasons}, each reason with a code and a sentence."
                    )
                ],
                documentation: "Why a job ran, did not run, is not running, and when it will.", explainJob),
            Method(
                "preview_schedule",
                in: [
                    Argument(
                        "schedule", "s", documentation: "A cron expression, or JSON with the schedule keys of a job."),
                    Argument("count", "i", documentation: "At most so many; at most 1000."),
                ],
                out: [Argument("instants", "s", documentation: "JSON: an array of instants.")],
                documentation: "The next fire times of a schedule, before anything is saved.", previewSchedule),
        ]
    }

    // MARK: - The scheduler and the service

    private var schedulerMethods: [Method] {
        [
            Method(
                "toggle_scheduler", .change,
                in: [Argument("enabled", "b", documentation: "Whether schedules are in force.")],
                out: [Self.isDone], documentation: "Pauses or resumes all schedules; survives a restart.",
                toggleScheduler),
            Method(
                "get_config",
                in: [
                    Argument("section", "s", documentation: "A section of config.json, any of them."),
                    Argument("key", "s", documentation: "A dotted key in it; empty: the whole section."),
                ],
                out: [Argument("value", "s", documentation: "JSON; null where there is nothing.")],
                documentation: "What config.json says.", getConfig),
            Method(
                "update_config", .request,
                in: [
                    Argument("section", "s", documentation: "A section of config.json, any of them."),
                    Argument(
                        "key", "s", documentation: "A dotted key in it; empty: the value is merged into the section."),
                    Argument("value", "s", documentation: "JSON."),
                ],
                out: [Self.isDone], documentation: "Writes config.json atomically, and keeps everything else in it.",
                updateConfig),
            Method(
                "reload_config", .request,
                out: [Argument("answer", "s", documentation: "JSON {added, changed, removed, invalid}.")],
                documentation: "Takes up config.json as it stands, by difference.", reloadConfig),
            Method(
                "hold_group", .change,
                in: [
                    Argument("group", "s", documentation: "A hold_group of jobs; of agents it is their runner."),
                    Argument(
                        "until", "s",
                        documentation: "An instant; empty: until release_group."),
                ],
                out: [Self.isDone],
                documentation: "Jobs of the group start nothing until then: their runs wait.", holdGroup),
            Method(
                "release_group", .change,
                in: [Argument("group", "s", documentation: "A hold_group of jobs.")], out: [Self.isDone],
                documentation: "Ends the hold of a group: what waits for it goes on.", releaseGroup),
            Method(
                "test_target", .request,
                in: [Argument("target", "s", documentation: "A target of messages, as notify names it.")],
                out: [
                    Argument(
                        "answer", "s", documentation: "JSON {target, sent}, and error where it was not sent.")
                ],
                documentation: "Sends a message to try a target. Replies when it is known what became of it.",
                testTarget),
        ]
    }

    private var serviceMethods: [Method] {
        [
            Method("GetStatus", out: [Self.answer], documentation: "What the daemon is and does.", getStatus),
            Method(
                "GetMetrics", out: [Argument("text", "s", documentation: "OpenMetrics text.")],
                documentation: "The daemon's figures, for a scraper.", getMetrics),
            Method("GetStats", out: [Self.answer], documentation: "As GetStatus, without the last runs.", getStats),
            Method(
                "HealthCheck", .health, out: [Self.answer], documentation: "Whether all is well, check by check.",
                healthCheck),
            Method(
                "Ping", .health, out: [Argument("pong", "s", documentation: "The word pong.")],
                documentation: "Answers."
            ) { call in
                call.reply([.string("pong")])
            },
            // What it calls has a kind of its own, and is answered by that.
            Method(
                "CallMethod", .request,
                in: [
                    Argument("method", "s", documentation: "The name of a method, or of an older handler."),
                    Argument(
                        "args", "s",
                        documentation:
                            "JSON: an array by position, an object by name, any other value as the only one; empty: none."
                    ),
                ],
                out: [
                    Argument(
                        "answer", "s",
                        documentation: "JSON: an object; {success: false, error} where the call was refused.")
                ],
                documentation: "The door of older clients: any method of this interface, in the shapes that they read.",
                OlderDoor(face: self).callMethod),
            Method(
                "Shutdown", .request, out: [Self.answer], documentation: "Stops the daemon as SIGTERM does.", shutDown),
        ]
    }

    // MARK: - Signals

    private static var signals: [SignalDeclaration] {
        let job = Argument("job", "s")
        let run = Argument("execution_id", "s")
        let error = Argument("error", "s")
        return [
            SignalDeclaration(
                "JobStarted", [job, run], documentation: "A run's first attempt started, or could not be."),
            SignalDeclaration(
                "JobCompleted", [job, run, Argument("result", "s", documentation: "JSON: the run.")],
                documentation: "A run succeeded."),
            SignalDeclaration("JobFailed", [job, run, error], documentation: "A run failed for good."),
            SignalDeclaration(
                "JobRetrying", [job, run, Argument("next_attempt", "u"), Argument("delay_seconds", "d"), error],
                documentation: "An attempt failed, and another one follows."),
            SignalDeclaration(
                "JobMissed", [job, Argument("scheduled_for", "s"), Argument("reason", "s")],
                documentation: "A fire time was not run."),
            SignalDeclaration(
                "SchedulerToggled", [Argument("enabled", "b")], documentation: "All schedules were paused or resumed."),
            SignalDeclaration(
                "JobsChanged", [Argument("added", "as"), Argument("changed", "as"), Argument("removed", "as")],
                documentation: "The set of jobs, or what one of them says, has changed."),
            SignalDeclaration(
                "StatusChanged", [Argument("status", "s", documentation: "running, paused, sleeping or stopping.")]),
            SignalDeclaration(
                "QueueChanged",
                [
                    Argument("queue", "s"),
                    Argument("items", "u", documentation: "How many it holds now, those that somebody has included."),
                ],
                documentation: "Items came into a queue, were taken, given back, or are dealt with; once a turn."),
            SignalDeclaration(
                "QuestionAsked",
                [run, Argument("question", "s", documentation: "JSON: as one of questions.")],
                documentation: "A run needs a person."),
            SignalDeclaration(
                "Event",
                [
                    Argument("type", "s", documentation: "The name of another signal."),
                    Argument("data", "s", documentation: "JSON."),
                ],
                documentation: "Every other signal once more."),
        ]
    }

    // MARK: - Properties

    private var properties: [Property] {
        [
            Property("Running", "b", changeSignal: .no, documentation: "Whether the daemon runs: true.") { _ in
                .bool(true)
            },
            Property("Enabled", "b", documentation: "Whether schedules are in force.") { _ in
                .bool(scheduler.isEnabled)
            },
            Property("Uptime", "d", changeSignal: .no, documentation: "Seconds since the start.") { _ in
                .double(service.uptime)
            },
            Property("Stats", "s", changeSignal: .no, documentation: "JSON: what GetStats answers.") { _ in
                .string(JSONValue.object(try report.stats()).compactText)
            },
            Property("Version", "s", changeSignal: .const, documentation: "The version of the daemon.") { _ in
                .string(botcronVersion)
            },
            Property("NextRun", "s", documentation: "The next fire time of all, RFC 3339, or empty.") { _ in
                .string(headline.nextRun)
            },
        ]
    }
}
