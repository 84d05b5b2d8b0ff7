internal import EventLoop
internal import Glibc
internal import Processes

/// One attempt, from its start or its adoption to its end; made by `Runner`.
public final class AttemptHandle {
    public let run: String
    public let attempt: Int

    private unowned let runner: Runner
    private let folder: AttemptFolder
    private var onEnd: ((AttemptReport) -> Void)?
    private var startedUSec = currentUSec(CLOCK_REALTIME)
    /// Why there is no supervisor.
    private var failure: String?

    /// The supervisor: a child of ours where we started it, else only followed. Each goes after the source that watches
    /// its fd.
    private var child: ChildProcess?
    private var adopted: FileDescriptor?
    private var exitSource: IOSource?
    private var supervisorExit: ProcessExit?
    private var remarkSource: EventSource?
    private var knownRemarks: Record?
    /// Of a supervisor that is held: closed, it begins with what the request file holds by then.
    private var gate: Pipe?
    private var requestFile: FileDescriptor?

    init(runner: Runner, run: String, attempt: Int, onEnd: @escaping (AttemptReport) -> Void) {
        self.runner = runner
        self.run = run
        self.attempt = attempt
        self.onEnd = onEnd
        folder = AttemptFolder(in: runner.folder, run: run, attempt: attempt)
    }

    /// Whether the end is still to be reported.
    public var isActive: Bool { onEnd != nil }

    /// Whether a cancel has been asked for here.
    public private(set) var isEnding = false

    /// The attempt's process, leader of its group; nil while there is none.
    public var pid: Int32? { folder.process?.pid }

    /// What the process has written so far.
    public var output: OutputReader { folder.output }

    /// Whether the process wrote nothing for too long, and goes on all the same.
    public var isStalled: Bool { remarkRecord().isSet("stalled") }

    /// What the process has said of itself so far, by word: `progress`, `cost`, `retry-after`, `result`.
    public var remarks: [String: String] { remarkRecord().remarks }

    /// Read once after each change, where changes are watched.
    private func remarkRecord() -> Record {
        if let knownRemarks { return knownRemarks }
        let record = folder.remarkRecord
        if remarkSource != nil { knownRemarks = record }
        return record
    }

    /// Called when the process has said something of itself, or stalls.
    public var onRemark: (() -> Void)? {
        didSet {
            guard onRemark != nil, remarkSource == nil else { return }
            // Remarks that cannot be watched are still there to be read.
            remarkSource = try? runner.loop.inotify(path: folder.path, [.movedTo, .onlyFolder]) {
                [unowned self] event in
                guard event.name == RunFolder.remarksName || event.events.contains(.overflow) else { return }
                knownRemarks = nil
                onRemark?()
            }
        }
    }

    /// The supervisor that was started here; nil for one that was adopted.
    public var supervisorPID: Int32? { child?.pid }

    // MARK: - Beginning

    /// False when no supervisor came to be, for the reason in `failure`.
    func start(_ request: AttemptRequest, isHeld: Bool) -> Bool {
        do {
            try startSupervisor(request, isHeld: isHeld)
            return true
        } catch let error as ProcessError {
            failure = error.description
        } catch let error as ExecutionError {
            failure = error.description
        } catch {
            failure = "cannot follow the supervisor of \(request.arguments.first ?? ""): \(error)"
        }
        return false
    }

    /// Untyped, because errors of three rooms meet here; all become the text of the report.
    private func startSupervisor(_ request: AttemptRequest, isHeld: Bool) throws {
        let program = try runner.supervisorPath()
        mkdir(runner.folder, 0o700)
        let identity = try folder.make(run: run, attempt: attempt, outputLimit: request.outputLimit)
        let file = try FileDescriptor.holding(isHeld ? [] : record(request).bytes)
        var process = ProcessRequest(arguments: [program, run], environment: [:], workingDirectory: folder.path)
        process.moreDescriptors = [file.number, identity.number]
        if isHeld { gate = try Pipe() }
        if let reading = gate?.readEnd.number {
            process.arguments.append(SupervisorRequest.heldArgument)
            process.moreDescriptors.append(reading)
        }
        process.blockedSignals = [SIGTERM, SIGUSR1, SIGHUP, SIGINT, SIGCHLD]
        let child: ChildProcess
        if case .bytes(let bytes) = request.standardInput {
            let input = try FileDescriptor.holding(bytes)
            process.moreDescriptors.append(input.number)
            child = try Spawner.spawn(process)
        } else {
            child = try Spawner.spawn(process)
        }
        startedUSec = currentUSec(CLOCK_REALTIME)
        try follow(child)
        if isHeld { requestFile = consume file }
    }

    private func record(_ request: AttemptRequest) -> Record {
        var supervision = SupervisorRequest(request)
        supervision.credentialsFolder = credentialsFolder
        return supervision.record
    }

    /// Lets a supervisor that is held begin. Once; later calls do nothing.
    ///
    /// - Parameter request: the one that it was started with, complete by now.
    public func proceed(with request: AttemptRequest) {
        guard gate != nil else { return }
        startedUSec = currentUSec(CLOCK_REALTIME)
        do throws(ProcessError) {
            try requestFile?.fill(record(request).bytes)
        } catch {
            failure = error.description
        }
        requestFile = nil
        gate = nil
    }

    /// Ends a supervisor that is held, without its process; reported as `couldNotStart` for this reason.
    public func abandon(because reason: String) {
        guard gate != nil else { return }
        failure = reason
        // At once, even where somebody has stopped it: it has nothing to bring to an end.
        child?.send(SIGKILL, to: .process)
        requestFile = nil
        gate = nil
    }

    private var credentialsFolder: String {
        guard let parent = runner.credentialsFolder else { return "\(folder.path)/\(AttemptFolder.credentialsName)" }
        mkdir(parent, 0o700)
        return "\(parent)/\(RunFolder.name(run: run, attempt: attempt))"
    }

    private func follow(_ child: consuming ChildProcess) throws {
        do {
            try watch(child.pidfd.number)
        } catch {
            // Its end would never be known: nothing of it may go on.
            child.send(SIGKILL, to: .process)
            _ = child.waitForExit()
            folder.killLeftovers()
            throw error
        }
        self.child = consume child
    }

    private func watch(_ pidfd: Int32) throws(EventLoopError) {
        exitSource = try runner.loop.watch(fd: pidfd, .readable) { [unowned self] _ in report() }
    }

    /// False when there is no supervisor any more to be followed.
    func adopt() -> Bool {
        startedUSec = folder.startedUSec ?? startedUSec
        guard let pidfd = folder.supervisor?.open() else { return false }
        do {
            try watch(pidfd.number)
        } catch {
            return false
        }
        adopted = consume pidfd
        return true
    }

    // MARK: - Ending it

    /// Ends the attempt: TERM to the whole tree, KILL after the grace. It is reported as cancelled once the tree is
    /// gone; nothing happens where it has ended already or is being ended.
    public func cancel() {
        isEnding = true
        signal(SupervisorRequest.Signal.cancel)
    }

    /// Sends KILL to the whole tree at once; as cancelled, where nothing was ending the attempt before.
    public func kill() {
        isEnding = true
        signal(SupervisorRequest.Signal.kill)
    }

    private func signal(_ number: Int32) {
        child?.send(number, to: .process)
        adopted?.signalProcess(number)
    }

    // MARK: - The end

    /// Looks at an attempt that is not followed: it has ended, or could not be followed when it was taken over.
    func look() {
        do throws(ExecutionError) {
            if child == nil, adopted == nil, failure == nil, try folder.isHeld() {
                guard adopt() else { throw ExecutionError.file("follow", folder.path, code: EMFILE) }
                return
            }
            report()
        } catch {
            runner.lookLater(self, error)
        }
    }

    /// Tells the end, last of all: what it is told to may start anything.
    private func report() {
        guard let onEnd else { return }
        if supervisorExit == nil, child != nil {
            supervisorExit = child?.reap()
            // Whoever traces it is told first; the pidfd says it again.
            guard supervisorExit != nil else { return }
        }
        exitSource?.cancel()
        exitSource = nil
        let report: AttemptReport
        do throws(ExecutionError) {
            report = try makeReport()
        } catch {
            return runner.lookLater(self, error)
        }
        self.onEnd = nil
        remarkSource = nil
        child = nil
        adopted = nil
        gate = nil
        requestFile = nil
        runner.forget(self)
        onEnd(report)
    }

    private func makeReport() throws(ExecutionError) -> AttemptReport {
        if let failure {
            // However long a supervisor was held before.
            let now = currentUSec(CLOCK_REALTIME)
            return AttemptReport(.couldNotStart(failure), startedUSec: now, endedUSec: now)
        }
        if let outcome = try folder.readOutcome() { return AttemptReport(outcome, output: folder.output.capture()) }
        let now = currentUSec(CLOCK_REALTIME)
        if let supervisorExit, case .exited(let status) = supervisorExit.ending, folder.process == nil {
            let reason = "the supervisor of the run could not do its work: it exited with status \(status)"
            return AttemptReport(.couldNotStart(reason), startedUSec: startedUSec, endedUSec: now)
        }
        folder.killLeftovers()
        removeFolder(credentialsFolder)
        return AttemptReport(.lost, startedUSec: startedUSec, endedUSec: now, output: folder.output.capture())
    }
}

extension SupervisorRequest {
    init(_ request: AttemptRequest) {
        self.init(
            arguments: request.arguments, environment: request.environment, workingDirectory: request.workingDirectory)
        if case .bytes = request.standardInput { hasInput = true }
        parent = getpid()
        timeoutUSec = request.timeout.wholeMicroseconds
        killGraceUSec = request.killGrace.wholeMicroseconds
        stallTimeoutUSec = request.stallTimeout.wholeMicroseconds
        outputLimit = request.outputLimit
        context = request.context
        credentials = request.credentials
        limits = request.limits
        onlyNotesStall = request.onlyNotesStall
        journal = request.journal
        scope = request.scope
    }
}

extension Duration {
    /// Not below 0, and at most what the number holds.
    var wholeMicroseconds: Int64 {
        let (seconds, attoseconds) = components
        let (usec, overflows) = max(0, seconds).multipliedReportingOverflow(by: 1_000_000)
        let (sum, overflowsToo) = usec.addingReportingOverflow(max(0, attoseconds / 1_000_000_000_000))
        return overflows || overflowsToo ? .max : sum
    }
}
