internal import EventLoop
internal import Glibc
internal import Processes

/// One attempt, from its start or its adoption to its end; made by `Runner`.
public final class AttemptHandle {
    public let run: String
    public let attempt: Int

    /// What there is of it.
    private enum State {
        /// Its supervisor waits at its gate: nothing of the job has been started.
        case gated(AttemptSupervision, Gate)
        /// Its supervisor ends without having been let begin, for this reason.
        case abandoned(AttemptSupervision, AttemptReport.Ending)
        /// Its supervisor was let begin, or lived when it was taken over.
        case underWay(AttemptSupervision)
        /// No supervisor came to be, for this reason, which is to be reported.
        case unstarted(AttemptReport.Ending)
        /// Nobody is followed, and its folder tells the rest: it has ended, or could not be followed when it was taken
        /// over.
        case unfollowed
        /// Its supervisor has exited; what became of it is still to be read.
        case ended(AttemptVerdict)
        /// Its end has been reported.
        case over
    }

    /// The gate of a supervisor, which opens when this end of it is closed, and the request, which is read then.
    private final class Gate {
        let pipe: Pipe
        let request: FileDescriptor

        init(_ pipe: consuming Pipe, request: consuming FileDescriptor) {
            self.pipe = pipe
            self.request = request
        }
    }

    // It holds this attempt until the end is reported; afterwards nothing here asks for it.
    private unowned let runner: Runner
    private let folder: AttemptFolder
    private let onEnd: (AttemptReport) -> Void
    private var state = State.unfollowed
    private var startedUSec = SystemClock.realtime.nowUSec
    private var remarkSource: InotifySource?
    private var knownRemarks: Record?

    init(runner: Runner, run: String, attempt: Int, onEnd: @escaping (AttemptReport) -> Void) {
        self.runner = runner
        self.run = run
        self.attempt = attempt
        self.onEnd = onEnd
        folder = runner.attemptFolder(run: run, attempt: attempt)
    }

    /// Whether the end is still to be reported.
    public var isActive: Bool { if case .over = state { false } else { true } }

    /// Whether a cancel has been asked for here.
    public private(set) var isEnding = false

    /// The attempt's process, leader of its group; nil while there is none.
    public var pid: Int32? { folder.process?.pid }

    /// What the process has written so far.
    public var output: OutputReader { folder.output }

    /// The supervisor that was started here; nil for one that was adopted, and after the end.
    public var supervisorPID: Int32? { supervision?.pid }

    private var supervision: AttemptSupervision? {
        switch state {
        case .gated(let supervision, _), .abandoned(let supervision, _), .underWay(let supervision): supervision
        case .unstarted, .unfollowed, .ended, .over: nil
        }
    }

    // MARK: - What the process says of itself

    /// Whether the process wrote nothing for too long, and goes on all the same.
    public var isStalled: Bool { remarkRecord().isSet("stalled") }

    /// What the process has said of itself so far, by word: `progress`, `cost`, `retry-after`, `result`,
    /// `hold`, `ask`.
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
                // The source is this object's own, and goes before it.
                [unowned self] event in
                guard event.name == RunFolder.remarksName || event.events.contains(.overflow) else { return }
                knownRemarks = nil
                onRemark?()
            }
        }
    }

    // MARK: - Beginning

    /// Starts a supervisor; where none comes to be, the reason is reported.
    ///
    /// - Returns: whether there is one to be followed.
    func start(_ request: AttemptRequest, isGated: Bool) -> Bool {
        do {
            state = try startSupervisor(request, isGated: isGated)
            return true
        } catch {
            state = .unstarted(AttemptReport.Ending(error, of: request))
            return false
        }
    }

    /// Untyped, because errors of three rooms meet here; all become the text of the report.
    private func startSupervisor(_ request: AttemptRequest, isGated: Bool) throws -> State {
        let program = try runner.supervisorPath()
        let identity = try runner.makeFolder(folder, for: request)
        let file = try FileDescriptor.holding(isGated ? [] : bytes(of: request))
        var process = ProcessRequest(
            arguments: [program, run, String(attempt)], environment: [:], workingDirectory: folder.path)
        process.moreDescriptors = [file.number, identity.number]
        process.blockedSignals = [SIGTERM, SIGUSR1, SIGUSR2, SIGHUP, SIGINT, SIGCHLD]
        guard isGated else { return .underWay(try supervise(process, request)) }
        let pipe = try Pipe()
        process.arguments.append(SupervisorRequest.gatedArgument)
        process.moreDescriptors.append(pipe.readEnd.number)
        let supervision = try supervise(process, request)
        return .gated(supervision, Gate(pipe, request: file))
    }

    private func supervise(_ process: ProcessRequest, _ request: AttemptRequest) throws -> AttemptSupervision {
        let child: ChildProcess
        if case .bytes(let bytes) = request.standardInput {
            let input = try FileDescriptor.holding(bytes)
            var process = process
            process.moreDescriptors.append(input.number)
            child = try Spawner.spawn(process)
        } else {
            child = try Spawner.spawn(process)
        }
        startedUSec = SystemClock.realtime.nowUSec
        do {
            return try AttemptSupervision(child: child, loop: runner.loop, onExit: onExit)
        } catch {
            folder.killLeftovers()
            throw error
        }
    }

    private func bytes(of request: AttemptRequest) throws(ExecutionError) -> [UInt8] {
        var supervision = SupervisorRequest(request)
        if let previous = request.previous {
            let source = runner.attemptFolder(run: previous.run, attempt: previous.attempt)
            supervision.environment["BOTCRON_PREVIOUS_OUTPUT"] = folder.linkPrevious(source)
        }
        if !request.credentials.isEmpty {
            try runner.credentials.prepare()
            supervision.credentialsFolder = runner.credentials.folder(run: run, attempt: attempt) ?? ""
        }
        let bytes = supervision.record.bytes
        guard bytes.count <= SupervisorRequest.bytesMax else {
            throw ExecutionError(
                operation: "start", object: "the run",
                found: "its arguments, environment, context and credentials have \(bytes.count) bytes together",
                advice: "let them have at most \(SupervisorRequest.bytesMax); pass long data in a file")
        }
        return bytes
    }

    /// Lets a supervisor that is gated begin. Once; later calls do nothing.
    ///
    /// - Parameter request: the one that it was started with, complete by now.
    public func proceed(with request: AttemptRequest) {
        guard case .gated(let supervision, let gate) = state else { return }
        do {
            try gate.request.fill(bytes(of: request))
        } catch {
            return abandon(as: AttemptReport.Ending(error, of: request))
        }
        startedUSec = SystemClock.realtime.nowUSec
        // The gate goes with the last that knows it, and so opens.
        state = .underWay(supervision)
    }

    /// Ends a supervisor that is held, without its process; reported as `couldNotStart` for this reason.
    public func abandon(because reason: String) {
        abandon(as: .couldNotStart(reason))
    }

    private func abandon(as ending: AttemptReport.Ending) {
        guard case .gated(let supervision, _) = state else { return }
        // At once, even where somebody has stopped it: it has nothing to bring to an end.
        supervision.signal(SIGKILL)
        state = .abandoned(supervision, ending)
    }

    /// Follows the supervisor that the folder names; false when there is none any more to be followed.
    func adopt() -> Bool {
        startedUSec = folder.startedUSec ?? startedUSec
        guard let pidfd = folder.supervisor?.open() else { return false }
        guard let supervision = try? AttemptSupervision(pidfd, loop: runner.loop, onExit: onExit) else { return false }
        state = .underWay(supervision)
        // Somebody asked before it could be followed.
        if isEnding { supervision.signal(SupervisorRequest.Signal.cancel) }
        return true
    }

    /// For the supervision, which is this object's own and goes before it.
    private var onExit: () -> Void { { [unowned self] in supervisorEnded() } }

    // MARK: - Answering it

    /// Tells the process what it has asked for: the rest of the line `answer …`.
    ///
    /// - Throws: where it cannot be written into the attempt's folder; it is to be said again.
    public func answer(question: Int, _ line: String) throws(ExecutionError) {
        guard case .underWay(let supervision) = state else { return }
        try folder.write(answer: line, to: question)
        supervision.signal(SupervisorRequest.Signal.answer)
    }

    // MARK: - Ending it

    /// Ends the attempt: TERM to the whole tree, KILL after the grace. It is reported as cancelled once the tree is
    /// gone; nothing happens where it has ended already or is being ended.
    public func cancel() {
        isEnding = true
        supervision?.signal(SupervisorRequest.Signal.cancel)
    }

    /// Sends KILL to the whole tree at once; as cancelled, where nothing was ending the attempt before.
    public func kill() {
        isEnding = true
        supervision?.signal(SupervisorRequest.Signal.kill)
    }

    // MARK: - The end

    /// Looks at an attempt that is not followed, and reports its end where it has one.
    func look() {
        do throws(ExecutionError) {
            switch state {
            case .unstarted(let ending): tell(AttemptReport(ending, at: SystemClock.realtime.nowUSec))
            case .ended(let verdict): tell(try verdict.report())
            case .unfollowed where try !folder.isHeld():
                state = .ended(AttemptVerdict(folder, startedUSec: startedUSec))
                look()
            case .unfollowed:
                guard adopt() else { throw ExecutionError.file("follow", folder.path, code: EMFILE) }
            case .gated, .abandoned, .underWay, .over: break
            }
        } catch {
            runner.lookLater(self, error)
        }
    }

    private func supervisorEnded() {
        guard let supervision else { return }
        var verdict = AttemptVerdict(folder, startedUSec: startedUSec)
        // Of a supervisor whose folder does not say it any more; its number is its own until it is reaped.
        if !folder.exists { verdict.mark = supervision.pid.flatMap { ProcessIdentity(of: $0)?.mark } }
        guard case .over(let exit) = supervision.reap() else { return }
        verdict.exit = exit
        switch state {
        case .abandoned(_, let ending): state = .unstarted(ending)
        case .gated:
            verdict.isAtGate = true
            state = .ended(verdict)
        default: state = .ended(verdict)
        }
        look()
    }

    /// Tells the end, last of all: what it is told to may start anything.
    private func tell(_ report: AttemptReport) {
        runner.credentials.remove(run: run, attempt: attempt)
        state = .over
        remarkSource = nil
        runner.forget(self)
        onEnd(report)
    }
}
