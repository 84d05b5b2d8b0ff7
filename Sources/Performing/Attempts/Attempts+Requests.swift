internal import Configuration
internal import Desktop
internal import EventLoop
internal import Execution
internal import Glibc
internal import Processes
internal import Schedules
internal import Scheduling

/// What a launch means for its supervisor and its scope.
extension Attempts {
    /// What a supervisor is given when it starts, and nothing can change afterwards.
    static func request(run: String, attempt: Int, _ job: Job, input: String? = nil) -> AttemptRequest {
        var request = AttemptRequest(run: run, attempt: attempt, arguments: [], environment: [:], workingDirectory: "/")
        request.outputLimit = job.outputLimit
        if let input = input ?? job.standardInput { request.standardInput = .bytes(Array(input.utf8)) }
        return request
    }

    static func request(_ launch: Launch) -> AttemptRequest {
        request(run: launch.run.id, attempt: launch.run.attempt, launch.job, input: launch.run.standardInput)
    }

    /// The rest, which is said when the gate opens.
    func complete(
        _ request: inout AttemptRequest, _ launch: Launch, session: [String: String]
    ) throws(JobError) {
        let job = launch.job
        let plan = try AttemptPlan(
            launch, session: session, common: settings.surroundings, home: home, previousOutput: previousOutput(launch))
        if let before = launch.previous { request.previous = .init(run: before.id, attempt: before.attempt) }
        request.environment = plan.environment
        request.workingDirectory = plan.workingDirectory
        request.arguments = plan.arguments
        request.killGrace = job.killGrace
        request.timeout = job.timeout
        request.stallTimeout = job.stallTimeout ?? .zero
        request.onlyNotesStall = job.onStall == .notify
        if job.isOutputJournaled {
            request.journal = .init(socket: Self.journalSocket, job: job.name, run: launch.run.id)
        }
        request.context = plan.context
        request.credentials = plan.credentials
        request.limits = ResourceLimits(job.resources)
    }

    /// The last of what the run before wrote, for templates; its first characters where no more is kept.
    private func previousOutput(_ launch: Launch) -> String {
        guard let before = launch.previous else { return "" }
        let bytes = runner.output(run: before.id, attempt: before.attempt).tail(Self.previousOutputBytesMax)
        guard !bytes.isEmpty else { return before.outputPreview ?? "" }
        // It may begin within a character; and what is none becomes three bytes.
        let start = bytes.prefix(3).prefix { $0 & 0xC0 == 0x80 }.count
        var text = String(decoding: bytes.dropFirst(start), as: UTF8.self)
        while text.utf8.count > Self.previousOutputBytesMax {
            text = String(text.unicodeScalars.dropFirst((text.utf8.count - Self.previousOutputBytesMax + 2) / 3))
        }
        return text
    }

    /// An argument of a program has 128 KiB at most.
    private static let previousOutputBytesMax = 65_536

    /// The socket of systemd's journal; where there is none, the output is in its file alone.
    private static var journalSocket: String { "/run/systemd/journal/socket" }

    // MARK: - Scopes

    /// The scope of a first attempt is named after its run alone. That of an earlier supervisor of the attempt may
    /// still be there, for a moment: then the number of the attempt, and that of this supervisor, make it another one.
    static func scope(of run: String, attempt: Int, _ job: Job, _ pid: Int32) -> Scope {
        let numbered = "\(run).\(attempt)"
        var scope = Scope(job: job.name, ids: (attempt == 1 ? [run] : []) + [numbered, "\(numbered).\(pid)"])
        scope.memoryMaxBytes = job.resources.memoryMaxBytes.map { UInt64($0) }
        scope.cpuQuotaUSec = job.resources.cpuQuotaPercent.map { UInt64(min($0, 1e9) * 10_000) }
        scope.tasksMax = job.resources.tasksMax.map { UInt64($0) }
        return scope
    }

    func warnOfScope(_ launch: Launch, _ reason: String) {
        warnOfLimits(launch, reason)
        guard told.insert(.noScope).inserted else { return }
        log.warning("a run has no scope of its own", [("BOTCRON_JOB", launch.job.name), ("BOTCRON_ERROR", reason)])
    }

    /// On record of the run; in the log once, because it is as true of every other run.
    func warnOfLimits(_ launch: Launch, _ reason: String) {
        let job = launch.job
        guard job.resources != Resources() else { return }
        intake.submit(
            .caveat(run: launch.run.id, "without a scope its limits are those of each process alone: \(reason)"))
        guard told.insert(.noLimits).inserted else { return }
        log.warning(
            "without a scope, memory_max and tasks_max limit each process alone, and cpu_quota nothing",
            [("BOTCRON_JOB", job.name), ("BOTCRON_REASON", reason)])
    }
}

extension JobError {
    /// For the record of a run, which names the job already.
    var inDefinition: String { key.isEmpty ? message : "\(key): \(message)" }
}

extension Resources {
    fileprivate var memoryMaxBytes: Int64? {
        switch memoryMax {
        case .bytes(let bytes): bytes
        case .share(let percent):
            Int64(sysconf(Int32(_SC_PHYS_PAGES))) / 100 * Int64(sysconf(Int32(_SC_PAGESIZE))) * Int64(min(percent, 100))
        case .unlimited, nil: nil
        }
    }
}

extension ResourceLimits {
    fileprivate init(_ resources: Resources) {
        self.init()
        memoryMax = resources.memoryMaxBytes ?? 0
        tasksMax = Int64(resources.tasksMax ?? 0)
        hasCPUQuota = resources.cpuQuotaPercent != nil
        nice = resources.nice.map { Int32($0) }
        ioClass =
            switch resources.ioClass {
            case .realtime: .realtime
            case .bestEffort: .bestEffort
            case .idle: .idle
            case nil: nil
            }
    }
}
