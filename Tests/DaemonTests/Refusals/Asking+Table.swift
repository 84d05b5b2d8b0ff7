import DBus
import JSON
import TestSupport
import Testing

/// Every way to ask for a change.
extension Asking {
    // MARK: - Definitions

    /// Writes into the ledger that it ran.
    private static let marks: JSONValue = [
        "sh", "-c", "echo \"$BOTCRON_JOB $BOTCRON_EXECUTION_ID\" >> $LEDGER",
    ]

    private static func job(_ subject: Subject, _ more: JSONObject = [:]) -> JSONObject {
        var job: JSONObject = ["name": .string(subject.name), "command": marks, "history_limit": 1000]
        for (key, value) in more { job[key] = value }
        return job
    }

    /// Due each second, and once only.
    private static let dueOnce: JSONObject = ["cron": "* * * * * *", "max_executions": 1, "description": "new"]
    private static let dueLate: JSONObject = ["cron": "0 0 29 2 *", "description": "old"]

    private static func text(_ object: JSONObject) -> DBusValue { .string(JSONValue.object(object).compactText) }

    private static func make(_ more: JSONObject) -> (Session, Subject) throws -> Void {
        { session, subject in _ = try session.json("schedule_job", text(job(subject, more))) }
    }

    private static func makeLate(_ session: Session, _ subject: Subject) throws {
        try make(dueLate)(session, subject)
        subject.note = try session.job(subject.name).text("next_run")
    }

    private static func makeDisabled(_ session: Session, _ subject: Subject) throws {
        try make(dueOnce.merging(["enabled": false]))(session, subject)
    }

    private static func makePaused(_ session: Session, _ subject: Subject) throws {
        try makeDisabled(session, subject)
        try session.done("pause_job", .string(subject.name))
    }

    /// A run that has ended, of a job whose further runs write into the ledger.
    private static func runOnce(_ session: Session, _ subject: Subject) throws {
        let folder = session.scratch.path + "/home/" + subject.name
        let line = "mkdir \(folder) 2>/dev/null || echo \"$BOTCRON_JOB $BOTCRON_EXECUTION_ID\" >> $LEDGER"
        try make(["command": ["sh", "-c", .string(line)]])(session, subject)
        subject.note = try session.runToEnd(.string(subject.name)).text("execution_id")
    }

    /// One fire time of `dueLate` has passed in it.
    private static func span(_ subject: Subject) -> [DBusValue] {
        [
            text([
                "job": .string(subject.name), "from": "2024-02-28T12:00:00Z", "to": "2024-02-29T12:00:00Z",
                "overlap_policy": "queue",
            ])
        ]
    }

    /// A run that has begun and does not end by itself.
    private static func begin(_ session: Session, _ subject: Subject) throws {
        let file = session.scratch.path + "/home/" + subject.name
        let command: JSONValue = ["sh", "-c", .string("echo > \(file); exec sleep 1000")]
        try make(["command": command])(session, subject)
        subject.note = try session.json("run_job", .string(subject.name)).text("execution_id")
        try session.look(for: "the run of \(subject.name)") { TestFile.bytes(file) != nil }
    }

    /// A run that waits for the one before it.
    private static func queueUp(_ session: Session, _ subject: Subject) throws {
        try begin(session, subject)
        let run = try session.json("run_job", .string(subject.name))
        #expect(run["status"] == "queued", "\(run)")
        subject.note = run.text("execution_id")
    }

    /// A run that will be tried again, long after the test.
    private static func fail(_ session: Session, _ subject: Subject) throws {
        try make(["command": ["false"], "retry": ["max_attempts": 2, "delay_seconds": 3600]])(session, subject)
        subject.note = try session.json("run_job", .string(subject.name)).text("execution_id")
        try session.signal("JobRetrying", subject.name)
    }

    private static func push(_ session: Session, _ subject: Subject) throws {
        subject.note = try session.json("queue_push", .string(subject.name), "1").text("id")
    }

    private static func take(_ session: Session, _ subject: Subject) throws {
        try push(session, subject)
        _ = try session.json("queue_pop", .string(subject.name))
    }

    /// A job of a group of its own.
    private static func makeMember(_ session: Session, _ subject: Subject) throws {
        try make(dueLate.merging(["hold_group": .string(subject.name)]))(session, subject)
    }

    private static func holdGroup(_ session: Session, _ subject: Subject) throws {
        try makeMember(session, subject)
        try session.done("hold_group", .string(subject.name), "")
    }

    /// A run that waits for a person, however many run beside it.
    private static func ask(_ session: Session, _ subject: Subject) throws {
        let words = #"echo 'ask {"question": "q", "choices": ["yes", "no"], "timeout": "30s"}' >&3"#
        try make(["command": ["sh", "-c", .string(words + "; read -r line <&4")]])(session, subject)
        subject.note = try session.json("run_job", text(["job": .string(subject.name), "force": true]))
            .text("execution_id")
        try session.look(for: "the question of \(subject.name)") {
            try session.json("questions").arrayValue?.contains { $0.text("execution_id") == subject.note } ?? false
        }
    }

    private static func nameAlone(_ subject: Subject) -> [DBusValue] { [.string(subject.name)] }
    private static func noteAlone(_ subject: Subject) -> [DBusValue] { [.string(subject.note)] }

    // MARK: - The JSON face

    static var native: [Asking] {
        [
            Asking(way: .json("run_job"), trace: .run, prepare: make([:]), arguments: nameAlone),
            Asking(
                way: .json("run_job"), trace: .run, prepare: make([:]),
                arguments: { [text(["job": .string($0.name), "idempotency_key": .string($0.name), "force": true])] },
                olderArguments: {
                    ["job_name": .string($0.name), "idempotency_key": .string($0.name), "force": true]
                }),
            Asking(way: .json("rerun"), trace: .furtherRun, prepare: runOnce, arguments: noteAlone),
            Asking(way: .json("backfill"), trace: .run, prepare: make(dueLate), arguments: span),
            Asking(way: .json("run_now"), trace: .run, arguments: { [text(job($0))] }),
            Asking(
                way: .json("schedule_job"), trace: .definition("new", doesRun: true),
                arguments: { [text(job($0, dueOnce))] }),
            Asking(
                way: .json("schedule_job"), trace: .definition("new", doesRun: true), prepare: makeLate,
                arguments: { [text(job($0, dueOnce))] }),
            Asking(way: .json("cancel_job"), trace: .removal, prepare: make(dueLate), arguments: nameAlone),
            Asking(
                way: .json("hold_group"), trace: .hold, prepare: makeMember,
                arguments: { nameAlone($0) + ["2090-01-01T00:00:00Z"] }),
            Asking(way: .json("release_group"), trace: .release, prepare: holdGroup, arguments: nameAlone),
            Asking(
                way: .json("answer_question"), trace: .answer, prepare: ask, arguments: { noteAlone($0) + ["yes"] }),
            Asking(
                way: .json("toggle_job"), trace: .toggle(to: true), prepare: makeDisabled,
                arguments: { nameAlone($0) + [.bool(true)] }),
            Asking(
                way: .json("toggle_job"), trace: .toggle(to: false), prepare: make(dueLate),
                arguments: { nameAlone($0) + [.bool(false)] }),
            Asking(way: .json("pause_job"), trace: .toggle(to: false), prepare: make(dueLate), arguments: nameAlone),
            Asking(
                way: .json("pause_job"), trace: .toggle(to: false, isForATime: true), prepare: make(dueLate),
                arguments: { [text(["job": .string($0.name), "until": "2090-01-01T00:00:00Z"])] }),
            Asking(way: .json("resume_job"), trace: .toggle(to: true), prepare: makePaused, arguments: nameAlone),
            Asking(way: .json("skip_job"), trace: .skip, prepare: makeLate, arguments: nameAlone),
            Asking(
                way: .json("cancel_run"), trace: .cancelledRun, prepare: begin, arguments: noteAlone,
                mayAlwaysSucceed: true),
            Asking(way: .json("cancel_run"), trace: .cancelledRun, prepare: queueUp, arguments: noteAlone),
            Asking(way: .json("cancel_run"), trace: .cancelledRun, prepare: fail, arguments: noteAlone),
            Asking(way: .json("queue_push"), trace: .pushedItem, arguments: { nameAlone($0) + ["1"] }),
            Asking(way: .json("queue_pop"), trace: .takenItem, prepare: push, arguments: nameAlone),
            Asking(
                way: .json("queue_ack"), trace: .acknowledgedItem, prepare: take,
                arguments: { nameAlone($0) + noteAlone($0) }),
            Asking(
                way: .json("update_config"), trace: .configuredValue, arguments: { ["sweep", .string($0.name), "1"] },
                olderArguments: { ["sweep", .string($0.name), 1] }, mayAlwaysSucceed: true),
        ]
    }

    /// The same through the door of the older clients: by position, where nothing else is said.
    static var older: [Asking] { native.map { older($0) } }

    private static func older(_ native: Asking) -> Asking {
        guard case .json(let member) = native.way else { preconditionFailure("\(native.name) is not of the JSON face") }
        return Asking(
            way: .older(member.text), trace: native.trace, prepare: native.prepare,
            arguments: { subject in
                let values = native.arguments(subject).map { value -> JSONValue in
                    value.asBool.map { .bool($0) } ?? .string(value.asString ?? "")
                }
                return [.string((native.olderArguments?(subject) ?? JSONValue.array(values)).compactText)]
            }, mayAlwaysSucceed: native.mayAlwaysSucceed)
    }

    // MARK: - What the older clients alone have

    private static func named(
        _ operation: String, _ trace: Trace, _ prepare: @escaping (Session, Subject) throws -> Void
    ) -> Asking {
        Asking(
            way: .older("manage_scheduler", operation: operation), trace: trace, prepare: prepare,
            arguments: { [text(["operation": .string(operation), "job_id": .string($0.name)])] })
    }

    private static func defined(_ operation: String, _ trace: Trace, _ more: JSONObject) -> Asking {
        Asking(
            way: .older("manage_scheduler", operation: operation), trace: trace,
            arguments: { [text(job($0, more).merging(["operation": .string(operation)]))] })
    }

    static var olderOnly: [Asking] {
        [
            Asking(
                way: .older("enable_job"), trace: .toggle(to: true), prepare: makeDisabled,
                arguments: { [.string("\"\($0.name)\"")] }),
            Asking(
                way: .older("disable_job"), trace: .toggle(to: false), prepare: make(dueLate),
                arguments: { [text(["job_name": .string($0.name)])] }),
            named("cancel", .removal, make(dueLate)), named("pause", .toggle(to: false), make(dueLate)),
            named("resume", .toggle(to: true), makePaused), named("run_now", .run, make([:])),
            defined("run_now", .run, [:]), defined("schedule", .definition("new", doesRun: true), dueOnce),
        ]
    }

    // MARK: - The typed face

    static var typed: [Asking] {
        [
            Asking(way: .typed(.job, "Run"), trace: .run, prepare: make([:]), arguments: { _ in [] }),
            Asking(
                way: .typed(.job, "Enable"), trace: .toggle(to: true), prepare: makeDisabled, arguments: { _ in [] }),
            Asking(
                way: .typed(.job, "Disable"), trace: .toggle(to: false), prepare: make(dueLate), arguments: { _ in [] }),
            Asking(way: .typed(.job, "Remove"), trace: .removal, prepare: make(dueLate), arguments: { _ in [] }),
            Asking(
                way: .property(.job, "Enabled"), trace: .toggle(to: true), prepare: makeDisabled,
                arguments: { _ in [.bool(true)] }),
            Asking(
                way: .property(.job, "Enabled"), trace: .toggle(to: false), prepare: make(dueLate),
                arguments: { _ in [.bool(false)] }),
            Asking(
                way: .typed(.run, "Cancel"), trace: .cancelledRun, prepare: begin, arguments: { _ in [] },
                mayAlwaysSucceed: true),
            Asking(way: .typed(.run, "Cancel"), trace: .cancelledRun, prepare: queueUp, arguments: { _ in [] }),
            Asking(
                way: .typed(.manager, "RunJob"), trace: .run, prepare: make([:]),
                arguments: { nameAlone($0) + [.properties([("idempotency_key", .string($0.name))])] }),
            Asking(
                way: .typed(.manager, "AddJob"), trace: .definition("new", doesRun: true),
                arguments: { subject in
                    [
                        .properties([
                            ("name", .string(subject.name)), ("cron", "* * * * * *"), ("max_executions", .uint32(1)),
                            ("description", "new"),
                            ("command", .strings(marks.arrayValue?.compactMap(\.stringValue) ?? [])),
                        ])
                    ]
                }),
        ]
    }

    // MARK: - What there is one of

    /// All schedules at once: one of these a round.
    static var ofTheScheduler: [Asking] {
        [
            Asking(way: .json("toggle_scheduler"), trace: .scheduler(false), arguments: { _ in [.bool(false)] }),
            Asking(way: .older("toggle_scheduler"), trace: .scheduler(false), arguments: { _ in ["false"] }),
            Asking(
                way: .property(.manager, "Enabled"), trace: .scheduler(false), arguments: { _ in [.bool(false)] }),
            Asking(
                way: .older("manage_scheduler", operation: "stop"), trace: .scheduler(false),
                arguments: { _ in [text(["operation": "stop"])] }),
            Asking(
                way: .older("manage_scheduler", operation: "start"), trace: .scheduler(true),
                prepare: { session, _ in try session.done("toggle_scheduler", .bool(false)) },
                arguments: { _ in [text(["operation": "start"])] }),
        ]
    }

    /// What stands in config.json is a fact.
    private static func configure(_ session: Session, _ subject: Subject) throws {
        var file = try #require(try JSONValue(parsing: TestFile.text(session.configFile)).objectValue)
        var section = try #require(file["schedules"]?.objectValue)
        section["jobs"] = .array((section["jobs"]?.arrayValue ?? []) + [.object(job(subject))])
        file["schedules"] = .object(section)
        try TestFile.write(JSONValue.object(file).prettyText(), to: session.configFile)
    }

    static var ofTheFile: [Asking] {
        [
            Asking(
                way: .json("reload_config"), trace: .configuredJob, arguments: { _ in [] }, act: configure,
                mayAlwaysSucceed: true, isFact: true),
            Asking(
                way: .older("reload_config"), trace: .configuredJob, arguments: { _ in [""] }, act: configure,
                mayAlwaysSucceed: true, isFact: true),
        ]
    }

    // MARK: - All of them

    /// What may be asked in one round, each about something of its own.
    static var independent: [Asking] { ofTheFile + native + older + olderOnly + typed }

    static var all: [Asking] { independent + ofTheScheduler }

    /// What of the interface changes nothing that the daemon keeps, with the reason.
    static let exempt: [String: String] = {
        let reads = [
            "get_run", "wait_run", "get_output", "get_history", "query_history", "list_jobs", "query_jobs", "get_job",
            "explain_job", "preview_schedule", "get_config", "questions", "queue_peek", "queue_list", "GetStatus",
            "GetMetrics",
            "GetStats", "HealthCheck", "Ping",
        ]
        var exempt = Dictionary(uniqueKeysWithValues: reads.map { ("\(Session.interface).\($0)", "it reads") })
        exempt["\(Session.interface).test_target"] = "it sends a message that is on no record"
        for name in [
            "Manager1.ListJobs", "Manager1.GetJob", "Manager1.ListRuns", "Job1.Explain", "Run1.Output",
        ] { exempt["\(Session.interface).\(name)"] = "it reads" }
        for name in [
            "list_jobs", "get_history", "get_state", "get_config", "manage_scheduler list", "manage_scheduler get_job",
            "manage_scheduler get_history", "manage_scheduler status",
        ] { exempt["CallMethod \(name)"] = "it reads" }
        exempt["CallMethod write_state"] = "it writes the mirror, which is never read back"
        exempt["CallMethod manage_scheduler"] = "each of its operations has a row"
        exempt["\(Session.interface).CallMethod"] = "each method that goes through it has a row"
        exempt["\(Session.interface).Shutdown"] = "it ends the daemon, and has tests of its own"
        return exempt
    }()
}

extension JSONObject {
    fileprivate func merging(_ more: JSONObject) -> JSONObject {
        var merged = self
        for (key, value) in more { merged[key] = value }
        return merged
    }
}
