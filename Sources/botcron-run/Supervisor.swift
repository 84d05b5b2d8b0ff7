import Glibc
import Processes

/// Holds one attempt: its process with all that descends from it, its output, its time; whether the daemon lives or not.
///
/// It sleeps in `poll` until its process writes or ends, somebody asks it something by a signal, or a time is up. The
/// attempt is over
/// - when its process has ended by itself: what that left behind goes on, as under cron, and its output is not read any
///   longer;
/// - where it was made to end (time-out, stall, cancel), when the whole tree is gone: TERM to all of it, after the grace
///   KILL to all of it, in whatever groups and sessions they are.
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
    var outcome = SupervisorOutcome(ending: .lost)
    var phase = Phase.running
    /// The process, unless it never came to be.
    var child: ChildProcess?
    var isOver = false
    var recorder: OutputRecorder
    var output: FileDescriptor?
    /// Where the output goes as well.
    private let journal: JournalLines?
    var context: ContextChannel?
    var stallUSec = Int64.max
    private var timeoutUSec = Int64.max
    /// When memory is given back that only the start has needed.
    private var quietUSec = Int64.max
    private var isStallNoted = false
    private let own: ProcessIdentity?
    private var input: FileDescriptor?
    private let identity: FileDescriptor
    private let signals: SignalQueue
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: OutputBounds.readLimit, alignment: 16)

    /// Takes over the fds that the daemon has set up (`SupervisorRequest.Descriptor`); nil where there is no request.
    ///
    /// - Parameter isHeld: whether there is a gate, to be waited at; all that does not need the request is done before.
    static func adoptingRequest(isHeld: Bool) -> Supervisor? {
        guard fcntl(SupervisorRequest.Descriptor.request, F_GETFD) >= 0,
            fcntl(SupervisorRequest.Descriptor.identity, F_GETFD) >= 0
        else { return nil }
        // Nothing of the session that we came from ends us; a job's process begins with all signals at their defaults.
        for number in [SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGALRM, SIGUSR2] { signal(number, SIG_IGN) }
        let signals: SignalQueue
        do {
            signals = try SignalQueue([SIGCHLD, SupervisorRequest.Signal.cancel, SupervisorRequest.Signal.kill])
        } catch {
            return nil
        }
        let identity = FileDescriptor(owning: SupervisorRequest.Descriptor.identity)
        identity.closeOnExec()
        let own = ProcessIdentity(of: getpid())
        var record = Record()
        own?.add(to: &record, prefix: "supervisor")
        add(record, to: identity)
        if isHeld {
            guard fcntl(SupervisorRequest.Descriptor.gate, F_GETFD) >= 0 else { return nil }
            let gate = FileDescriptor(owning: SupervisorRequest.Descriptor.gate)
            var entry = pollfd(fd: gate.number, events: 0, revents: 0)
            while poll(&entry, 1, -1) < 0, errno == EINTR {}
        }
        let file = FileDescriptor(owning: SupervisorRequest.Descriptor.request)
        guard let bytes = file.remainder(limit: .max), let request = SupervisorRequest(Record(parsing: bytes)) else {
            return nil
        }
        return Supervisor(
            request, own: own, identity: identity, signals: signals,
            input: SupervisorRequest.Descriptor.input(isHeld: isHeld))
    }

    private init(
        _ request: SupervisorRequest, own: ProcessIdentity?, identity: consuming FileDescriptor,
        signals: consuming SignalQueue, input inputNumber: Int32
    ) {
        self.request = request
        self.own = own
        self.identity = identity
        self.signals = signals
        if request.hasInput { input = FileDescriptor(owning: inputNumber) }
        journal = request.journal.flatMap { JournalLines($0) }
        scope = request.scope.isEmpty ? nil : ControlGroup.own(named: request.scope)
        recorder = OutputRecorder(folder: AT_FDCWD, limit: request.outputLimit)
    }

    // MARK: - From start to end

    func supervise() {
        if let scope {
            var record = Record()
            record.add("scope", scope.path)
            Self.add(record, to: identity)
        }
        outcome.startedUSec = currentUSec(CLOCK_REALTIME)
        do throws(ProcessError) {
            try start()
        } catch {
            outcome.ending = .couldNotStart(error.description)
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
        outcome.isOutOfMemory = (scope?.memoryKillCount ?? 0) > 0
    }

    private func start() throws(ProcessError) {
        let pipe = try Pipe()
        defer { input = nil }
        var process = ProcessRequest(
            arguments: request.arguments, environment: request.environment, workingDirectory: request.workingDirectory)
        process.environment[ProcessIdentity.markName] = own?.markValue
        process.standardInput = input?.number
        process.standardOutput = pipe.writeEnd.number
        process.standardError = pipe.writeEnd.number
        let child: ChildProcess
        if let line = request.context {
            let ends = try ContextChannel.make(line: line)
            process.moreDescriptors = [ends.peer.number]
            process.environment["BOTCRON_CONTEXT_FD"] = "3"
            context = ends.channel
            child = try spawn(process)
        } else {
            child = try spawn(process)
        }
        let now = currentUSec(CLOCK_MONOTONIC)
        outcome.startedUSec = currentUSec(CLOCK_REALTIME)
        limit(child.pid)
        var record = Record()
        ProcessIdentity(of: child.pid)?.add(to: &record, prefix: "process")
        Self.add(record, to: identity)
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
    private func take(_ pipe: consuming Pipe) -> FileDescriptor {
        pipe.readEnd
    }

    /// Sets what the scope does not hold for all of the attempt.
    private func limit(_ pid: Int32) {
        var limits = request.limits
        if scope?.limitsMemory ?? false { limits.memoryMax = 0 }
        if scope?.limitsTasks ?? false { limits.tasksMax = 0 }
        var failures = limits.apply(to: pid)
        if limits.hasCPUQuota, let scope, !scope.limitsCPU {
            failures.append("cpu_quota has no effect: the control group of the run has no cpu controller")
        }
        outcome.limitsError = failures.isEmpty ? nil : failures.joined(separator: "; ")
    }

    private static func add(_ record: Record, to identity: borrowing FileDescriptor) {
        // Where it cannot be written the run goes on; a daemon that comes later cannot take it over then.
        _ = identity.write(record.openBytes)
    }

    // MARK: - One turn

    private func turn() {
        let isHeld = child?.isReaped == false
        var entries = [
            pollfd(fd: signals.number, events: Int16(POLLIN), revents: 0),
            pollfd(fd: isHeld ? child?.pidfd.number ?? -1 : -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: output?.number ?? -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: context?.number ?? -1, events: context?.awaitedEvents ?? 0, revents: 0),
        ]
        _ = poll(&entries, nfds_t(entries.count), waitMilliseconds())
        if entries[2].revents != 0 { readOutput() }
        if entries[3].revents != 0 { serveContext() }
        if entries[1].revents != 0 { processEnded() }
        if entries[0].revents != 0 { readSignals() }
        if !isOver { checkTimes() }
    }

    /// Until the next time that is up; rounded up, so as not to wake before it.
    private func waitMilliseconds() -> Int32 {
        let next: Int64
        switch phase {
        case .running: next = min(timeoutUSec, stallUSec, quietUSec)
        case .terminating(let killUSec): next = killUSec
        case .killing(let giveUpUSec): next = child?.isReaped == false ? .max : giveUpUSec
        }
        guard next < .max else { return -1 }
        return Int32(clamping: max(0, (next - currentUSec(CLOCK_MONOTONIC) + 999) / 1000))
    }

    /// Most runs that last longer last for much longer.
    private static let quietAfterUSec: Int64 = 1_000_000

    private func checkTimes() {
        let now = currentUSec(CLOCK_MONOTONIC)
        switch phase {
        case .running:
            if now >= quietUSec {
                quietUSec = .max
                releaseIdleMemory()
            }
            // One that has ended in time is not ended by us, however late we look.
            guard now >= min(timeoutUSec, stallUSec), child?.peekExit() == nil else { return }
            if now < timeoutUSec, request.onlyNotesStall { return noteStall() }
            if now >= timeoutUSec { outcome.isTimedOut = true } else { outcome.isStalled = true }
            terminate()
        case .terminating(let killUSec):
            if now >= killUSec { kill() }
        case .killing(let giveUpUSec):
            if now >= giveUpUSec, child?.isReaped != false { end() }
        }
    }

    /// Once; it may find its words again.
    private func noteStall() {
        stallUSec = .max
        isStallNoted = true
        publishRemarks()
    }

    private func readSignals() {
        while let signal = signals.next() {
            switch signal {
            case SupervisorRequest.Signal.cancel: cancel()
            case SupervisorRequest.Signal.kill: cancelAtOnce()
            default: reapOrphans()
            }
        }
    }

    // MARK: - What the process says

    /// Reads once; how many bytes, 0 when there are none now, or will be none any more.
    @discardableResult
    private func readOutput() -> Int {
        guard let reading = output?.read(into: buffer) else { return 0 }
        switch reading {
        case .bytes(let count):
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            recorder.append(bytes)
            journal?.append(bytes)
            if request.stallTimeoutUSec > 0 {
                stallUSec = currentUSec(CLOCK_MONOTONIC).addingClamped(request.stallTimeoutUSec)
            }
            return count
        case .wouldBlock:
            return 0
        case .end:
            // The process may close its output and live on.
            output = nil
            return 0
        case .failed(let code):
            recorder.lostSource(code: code)
            output = nil
            return 0
        }
    }

    /// Reads what the pipe holds now, which has all that an ended process ever wrote; what others write meanwhile must
    /// not keep us here.
    func drainOutput() {
        var remaining = output?.readableByteCount ?? 0
        while remaining > 0 {
            let count = readOutput()
            guard count > 0 else { break }
            remaining -= count
        }
        journal?.finish()
    }

    /// For whoever asks meanwhile; the outcome has the last of them. Where it cannot be written they learn them then.
    private func publishRemarks() {
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC
        let number = open(RunFolder.remarksDraftName, flags, 0o600)
        guard number >= 0 else { return }
        var record = Record()
        record.add(remarks: outcome.remarks)
        record.add("stalled", where: isStallNoted)
        guard FileDescriptor(owning: number).write(record.bytes) == nil else { return }
        rename(RunFolder.remarksDraftName, RunFolder.remarksName)
    }

    func serveContext() {
        guard let context else { return }
        context.serve()
        if context.isClosed { self.context = nil }
        guard context.remarks != outcome.remarks else { return }
        outcome.remarks = context.remarks
        if !isOver { publishRemarks() }
    }
}

func currentUSec(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
}

extension Int64 {
    /// Longer than the clock lasts is for ever.
    func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? .max : sum
    }
}
