import Configuration
import Glibc
import JSON
import Processes
import Schedules
import Scheduling

/// What a launch means for the system: an argv, an environment, a folder.
///
/// Nothing here is decided; it is the definition of the job and the facts of the attempt, put into the words that a
/// process understands.
struct AttemptPlan {
    var arguments: [String]
    var environment: [String: String]
    var workingDirectory: String
    /// One line of JSON.
    var context: String
    var credentials: [String: Credential]

    typealias Credential = SupervisorRequest.Credential

    /// What a run has whose job says `clean_environment`, as far as the session has it.
    private static let cleanVariables: Set<String> = [
        "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS",
    ]

    /// Variables that speak to this service alone: a job that found them would answer in the daemon's name.
    private static let serviceVariables: Set<String> = [
        "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "INVOCATION_ID",
        "JOURNAL_STREAM", "SYSTEMD_EXEC_PID", "MANAGERPID", "FDSTORE", "CREDENTIALS_DIRECTORY", "STATE_DIRECTORY",
        "RUNTIME_DIRECTORY", "LOGS_DIRECTORY", "CACHE_DIRECTORY", "CONFIGURATION_DIRECTORY", "DBUS_STARTER_ADDRESS",
        "DBUS_STARTER_BUS_TYPE",
    ]

    /// - Parameters:
    ///   - session: the environment of the session as it is now.
    ///   - common: what is laid over it for every job.
    ///   - previousOutput: what the run before wrote, for a chained one.
    init(
        _ launch: Launch, session: [String: String], common: CommonEnvironment, home: String,
        previousOutput: String = ""
    ) throws(JobError) {
        let (run, job) = (launch.run, launch.job)
        let scheduledAt = (run.scheduledFor ?? run.createdAt).rfc3339(in: job.zone)
        let traceparent = run.traceID.map { "00-\($0)-\(Self.spanID(run))-01" }

        var environment = Self.environment(session, common: common, home: home, isClean: job.isEnvironmentClean)
        if let path = job.environmentFile {
            environment.merge(
                try Self.take(job, "environment_file") { () throws(PrivateFileError) in
                    try EnvironmentFile.read(expandHome(path, home: home))
                }
            ) { $1 }
        }
        environment.merge(job.environment) { $1 }
        environment["BOTCRON_JOB"] = job.name
        environment["BOTCRON_EXECUTION_ID"] = run.id
        environment["BOTCRON_SESSION_ID"] = run.id
        let source = run.trigger == .schedule ? "cron" : run.trigger.rawValue
        environment["BOTCRON_SOURCE"] = source
        environment["BOTCRON_PERSONA"] = job.persona
        environment["BOTCRON_SCHEDULED_AT"] = scheduledAt
        environment["BOTCRON_ATTEMPT"] = String(run.attempt)
        environment["BOTCRON_MISSED"] = String(run.coveredCount)
        environment["TRACEPARENT"] = traceparent
        self.environment = environment

        var circumstances = RunVariables.Circumstances(
            executionID: run.id, scheduledAt: scheduledAt, attempt: run.attempt)
        circumstances.traceID = run.traceID ?? ""
        circumstances.traceparent = traceparent ?? ""
        circumstances.environment = environment
        circumstances.previousOutput = previousOutput
        circumstances.previousStatus = launch.previous?.status.rawValue ?? ""
        let variables = RunVariables(job: job, inputs: run.inputs, circumstances)
        arguments = try RunCommand(job.action, variables).argv
        let folder = job.workingDirectory.isEmpty ? job.project : job.workingDirectory
        workingDirectory = folder.isEmpty ? home : expandHome(folder, home: home)

        var previous = JSONValue.null
        if let before = launch.previous {
            previous = [
                "execution_id": .string(before.id), "status": .string(before.status.rawValue),
                "output": .string(before.outputPreview ?? ""),
            ]
        }
        let context: JSONObject = [
            "session_id": .string(run.id), "source": .string(source), "job_name": .string(job.name),
            "persona": .string(job.persona), "scheduled_at": .string(scheduledAt),
            "inputs": (try? JSONValue(parsing: variables.inputs)) ?? .object(JSONObject()), "previous": previous,
        ]
        self.context = JSONValue.object(context).compactText
        credentials = try Self.credentials(of: job, home: home)
    }

    /// What every process finds that is started here.
    static func environment(
        _ session: [String: String], common: CommonEnvironment, home: String, isClean: Bool = false
    ) -> [String: String] {
        var environment = session.filter { name, _ in
            isClean ? cleanVariables.contains(name) : !serviceVariables.contains(name)
        }
        let personal = expandHome("~/.local/bin", home: home)
        common.lay(over: &environment, personal: access(personal, X_OK) == 0 ? personal : nil)
        return environment
    }

    /// The job's credentials; contents go from here to the run's own files and nowhere else.
    private static func credentials(of job: Job, home: String) throws(JobError) -> [String: Credential] {
        var credentials: [String: Credential] = [:]
        for (name, source) in job.credentials {
            if let attributes = secretAttributes(source) {
                credentials[name] = .secret(attributes)
            } else {
                credentials[name] = .contents(
                    try take(job, "credentials.\(name)") { () throws(PrivateFileError) in
                        try PrivateFile.read(expandHome(source, home: home))
                    })
            }
        }
        return credentials
    }

    /// `secret:NAME` is the secret whose attribute `botcron` is NAME; `secret:KEY=VALUE,…` names attributes of others.
    private static func secretAttributes(_ source: String) -> [String]? {
        guard source.hasPrefix("secret:") else { return nil }
        let text = source.dropFirst("secret:".count)
        guard text.contains("=") else { return ["botcron", String(text)] }
        return text.split(separator: ",").flatMap { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            return parts.count == 2 ? parts : parts + [""]
        }
    }

    private static func take<Value>(
        _ job: Job, _ key: String, _ read: () throws(PrivateFileError) -> Value
    ) throws(JobError) -> Value {
        do {
            return try read()
        } catch {
            throw JobError(kind: .job, job: job.name, key: key, message: error.description)
        }
    }

    /// 16 hex digits, never all zero: a hash of the run's id and the attempt, so that the same attempt always has
    /// the same span.
    private static func spanID(_ run: Run) -> String {
        let hash = StableHash.fnv1a("\(run.id)/\(run.attempt)")
        let digits = String(hash == 0 ? 1 : hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
