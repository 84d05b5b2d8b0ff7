import Glibc
import Processes

/// Holds one attempt: its process with all that descends from it, its output, its time; whether the daemon lives or
/// not.
///
/// It sleeps in `poll` until its process writes or ends, somebody asks it something by a signal, or a time is up. The
/// attempt is over
/// - when its process has ended by itself: what that left behind goes on, as under cron, and what it writes from then
///   on is dropped (`OutputDrain`);
/// - where it was made to end (time-out, stall, cancel), when the whole tree is gone: TERM to all of it, after the
///   grace KILL to all of it, in whatever groups and sessions they are.
///
/// In each turn come first those who may end the attempt: signals, the end of the process, times that are up. What the
/// process can make long (its output, its context socket, its orphans) comes after, and a bounded amount of it.
final class Supervisor {
    enum Phase {
        case running
        /// The tree has its TERM; at `killUSec` follows the KILL.
        case terminating(killUSec: Int64)
        /// The tree has its KILL. At `giveUpUSec` nobody waits any longer for what not even that ends.
        case killing(giveUpUSec: Int64)
    }

    let request: SupervisorRequest
    let tree = ProcessTree.adopting()
    /// The control group that is the attempt's alone, this process included; nil where it has none.
    let scope: ControlGroup?
    var outcome = SupervisorOutcome(ending: .lost("its supervisor has not seen it end"))
    var phase = Phase.running
    /// The process, unless it never came to be.
    var child: ChildProcess?
    var isOver = false
    var recorder: OutputRecorder
    var output: FileDescriptor?
    /// Where the output goes as well.
    let journal: JournalLines?
    var context: ContextChannel?
    /// Where the process reads what it asked for.
    var answers: FileDescriptor?
    /// Since when a question is open.
    var askedUSec: Int64?
    /// Whether more children may have ended than were reaped in this turn, and for how many turns in a row.
    var (mayHaveOrphans, turnsWithOrphans) = (false, 0)
    var stallUSec = Int64.max
    var timeoutUSec = Int64.max
    /// When memory is given back that only the start has needed.
    var quietUSec = Int64.max
    var isStallNoted = false
    /// When remarks may be published again, and what is published by then.
    var publishUSec = Int64.min
    var publishedRemarks: [String: String] = [:]
    private let own: ProcessIdentity?
    private var input: FileDescriptor?
    /// Locked; nil when the lock has been given back.
    private var identity: FileDescriptor?
    let signals: SignalQueue
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: OutputBounds.readLimit, alignment: 16)

    /// Takes over the fds that the daemon has set up (`SupervisorRequest.Descriptor`).
    ///
    /// - Parameter isGated: whether there is a gate, to be waited at; all that does not need the request is done
    ///   before.
    /// - Throws: how to exit where that fails; nothing of the job has been then.
    static func adoptingRequest(isGated: Bool) throws(SupervisorExit) -> Supervisor {
        guard fcntl(SupervisorRequest.Descriptor.request, F_GETFD) >= 0,
            fcntl(SupervisorRequest.Descriptor.identity, F_GETFD) >= 0
        else { throw .noRequest }
        // Nothing of the session that we came from ends us; a job's process begins with all signals at their defaults.
        for number in [SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGALRM] { signal(number, SIG_IGN) }
        let signals: SignalQueue
        do throws(ProcessError) {
            signals = try SignalQueue(
                [SIGCHLD] + [
                    SupervisorRequest.Signal.cancel, SupervisorRequest.Signal.kill, SupervisorRequest.Signal.answer,
                ])
        } catch {
            throw error.isShortOfResources ? .shortOfResources : .notBegun
        }
        let identity = FileDescriptor(owning: SupervisorRequest.Descriptor.identity)
        identity.closeOnExec()
        let own = ProcessIdentity(of: getpid())
        var record = Record()
        own?.add(to: &record, prefix: "supervisor")
        // Where it cannot be written, what comes after it cannot either, and the run does not begin.
        _ = identity.write(record.openBytes)
        if isGated {
            guard fcntl(SupervisorRequest.Descriptor.gate, F_GETFD) >= 0 else { throw .noRequest }
            let gate = FileDescriptor(owning: SupervisorRequest.Descriptor.gate)
            var entry = pollfd(fd: gate.number, events: 0, revents: 0)
            while poll(&entry, 1, -1) < 0, errno == EINTR {}
        }
        let file = FileDescriptor(owning: SupervisorRequest.Descriptor.request)
        guard let bytes = file.remainder(limit: SupervisorRequest.bytesMax),
            let request = SupervisorRequest(Record(parsing: bytes))
        else { throw .noRequest }
        return Supervisor(
            request, own: own, identity: identity, signals: signals,
            input: SupervisorRequest.Descriptor.input(isGated: isGated))
    }

    private init(
        _ request: SupervisorRequest, own: ProcessIdentity?, identity: consuming FileDescriptor,
        signals: consuming SignalQueue, input inputNumber: Int32
    ) {
        self.request = request
        self.own = own
        self.identity = consume identity
        self.signals = signals
        if request.hasInput { input = FileDescriptor(owning: inputNumber) }
        journal = request.journal.flatMap { JournalLines($0) }
        scope = request.scope.isEmpty ? nil : ControlGroup.own(named: request.scope)
        recorder = OutputRecorder(folder: AT_FDCWD, limit: request.outputLimit)
    }

    // MARK: - From start to end

    func supervise() {
        outcome.startedUSec = SystemClock.realtime.nowUSec
        do throws(ProcessError) {
            try begin()
            try start()
        } catch {
            outcome.ending = ending(error)
            outcome.isCancelled = SecretLookup.isCancelled
            outcome.endedUSec = outcome.startedUSec
            return
        }
        while !isOver {
            turn()
        }
        var usage = rusage()
        getrusage(RUSAGE_CHILDREN.rawValue, &usage)
        outcome.userCPUUSec = Int64(usage.ru_utime.tv_sec) * 1_000_000 + Int64(usage.ru_utime.tv_usec)
        outcome.systemCPUUSec = Int64(usage.ru_stime.tv_sec) * 1_000_000 + Int64(usage.ru_stime.tv_usec)
        outcome.maxRSSKiB = Int64(usage.ru_maxrss)
        outcome.scopeCPUUSec = scope?.cpuUSec
        outcome.scopeMemoryPeakBytes = scope?.memoryPeakBytes
        outcome.isOutOfMemory = (scope?.memoryKillCount ?? 0) > 0
    }

    private func ending(_ error: ProcessError) -> SupervisorOutcome.Ending {
        if error.kind == .notFollowed { return .lost(error.description) }
        // What its own scope does not allow it is short of for good.
        guard error.isShortOfResources, scope?.limitsTasks != true else { return .couldNotStart(error.description) }
        return .shortOfResources(error.description)
    }

    /// Writes down that from now on a process of the job may be: whoever finds no outcome later must know.
    ///
    /// - Throws: where that cannot be written, or nobody could find it; the process must not be then.
    private func begin() throws(ProcessError) {
        var record = Record()
        if let scope { record.add("scope", scope.path) }
        record.add(RunFolder.begunField, where: true)
        if let code = add(record) {
            throw .resource("begin", object: "the run: its folder cannot be written", code: code)
        }
        var status = stat()
        guard let number = identity?.number, fstat(number, &status) == 0, status.st_nlink > 0 else {
            throw .resource("begin", object: "the run: its folder has been removed", code: ENOENT)
        }
    }

    private func start() throws(ProcessError) {
        let pipe = try Pipe()
        defer { input = nil }
        var process = ProcessRequest(
            arguments: request.arguments, environment: request.environment, workingDirectory: request.workingDirectory)
        process.environment[ProcessIdentity.markName] = own?.markValue
        // Those of the session are about another folder: where whoever started that was, and had been before.
        let isAbsolute = request.workingDirectory.hasPrefix("/")
        process.environment["PWD"] = isAbsolute ? request.workingDirectory : nil
        process.environment["OLDPWD"] = nil
        process.limits = limits()
        process.standardInput = input?.number
        process.standardOutput = pipe.writeEnd.number
        process.standardError = pipe.writeEnd.number
        let child: ChildProcess
        if let line = request.context {
            let ends = try ContextChannel.make(line: line)
            let answers = try Pipe(.toProcess)
            process.moreDescriptors = [ends.peer.number, answers.readEnd.number]
            process.environment["BOTCRON_CONTEXT_FD"] = "3"
            process.environment["BOTCRON_ANSWER_FD"] = "4"
            context = ends.channel
            child = try spawn(process)
            self.answers = writeEnd(of: answers)
        } else {
            child = try spawn(process)
        }
        let now = SystemClock.monotonic.nowUSec
        outcome.startedUSec = SystemClock.realtime.nowUSec
        note(child.unsetLimits)
        var record = Record()
        ProcessIdentity(of: child.pid)?.add(to: &record, prefix: "process")
        // Where it cannot be written the run goes on; a daemon that comes later finds it by its supervisor's mark.
        _ = add(record)
        self.child = consume child
        output = take(pipe)
        quietUSec = now + Self.quietAfterUSec
        if request.timeoutUSec > 0 { timeoutUSec = now.addingClamped(request.timeoutUSec) }
        if request.stallTimeoutUSec > 0 { stallUSec = now.addingClamped(request.stallTimeoutUSec) }
    }

    private func spawn(_ process: ProcessRequest) throws(ProcessError) -> ChildProcess {
        var process = process
        if !request.credentials.isEmpty {
            try Credentials.write(
                request.credentials, to: request.credentialsFolder, environment: request.environment)
            process.environment["CREDENTIALS_DIRECTORY"] = request.credentialsFolder
        }
        return try Spawner.spawn(process)
    }

    /// Keeps the end to read; the end to write closes, and is then the process's alone.
    private func take(_ pipe: consuming Pipe) -> FileDescriptor { pipe.readEnd }

    /// The other way round.
    private func writeEnd(of pipe: consuming Pipe) -> FileDescriptor { pipe.writeEnd }

    /// What the scope does not hold for all of the attempt.
    private func limits() -> ResourceLimits {
        var limits = request.limits
        if scope?.limitsMemory ?? false { limits.memoryMax = 0 }
        if scope?.limitsTasks ?? false { limits.tasksMax = 0 }
        return limits
    }

    private func note(_ unsetLimits: [String]) {
        var failures = unsetLimits
        if request.limits.hasCPUQuota, let scope, !scope.limitsCPU {
            failures.append("cpu_quota has no effect: the control group of the run has no cpu controller")
        }
        outcome.limitsError = failures.isEmpty ? nil : failures.joined(separator: "; ")
    }

    /// nil, or the errno that kept it from being written.
    private func add(_ record: Record) -> Int32? {
        guard identity != nil else { return EBADF }
        return identity?.write(record.openBytes) ?? nil
    }

    /// Gives the lock on the attempt's folder back: how it ended is on record, or never will be.
    func releaseLock() { identity = nil }
}
