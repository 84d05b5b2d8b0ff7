internal import EventLoop
internal import Glibc
public import Processes

/// One attempt, from its start to the end of its group; made by `Runner.start`.
public final class AttemptHandle {
    private enum Phase {
        /// No process yet, or never one: `failure` says why.
        case unstarted
        case running
        /// The group has its TERM; the timer brings the KILL.
        case terminating
        /// The group has its KILL.
        case killed
        /// The process has ended of its TERM and is reported, but not reaped: that keeps the id of its group from
        /// passing to strangers until the timer has brought the rest of the group their KILL.
        case lingering
        /// Reported and reaped.
        case ended
    }

    /// The id of the process and of its group; nil where none came to be.
    public private(set) var pid: Int32?
    /// By the wall clock, in µs since 1970.
    public private(set) var startedUSec: Int64
    /// What the process has written so far, as far as it is read.
    public private(set) var output: OutputCapture

    private unowned let runner: Runner
    private let request: AttemptRequest
    private var onEnd: ((AttemptReport) -> Void)?
    private var phase = Phase.unstarted
    private var failure = ""
    private var isTimedOut = false
    private var isCancelled = false

    private var child: ChildProcess?
    private var outputEnd: FileDescriptor?
    /// Each goes before the fd that it watches.
    private var outputSource: IOSource?
    private var exitSource: IOSource?
    /// The time-out, then the end of the grace.
    private var timer: TimerSource?

    init(runner: Runner, request: AttemptRequest, onEnd: @escaping (AttemptReport) -> Void) {
        self.runner = runner
        self.request = request
        self.onEnd = onEnd
        output = OutputCapture(limit: request.outputLimit)
        startedUSec = currentUSec(CLOCK_REALTIME)
    }

    /// Whether the end is still to be reported.
    public var isActive: Bool { onEnd != nil }

    // MARK: - Starting

    /// False when no process came to be, for the reason in `failure`.
    func start() -> Bool {
        do {
            try startProcess()
        } catch let error as ProcessError {
            failure = error.description
        } catch {
            failure = "cannot follow \(request.arguments.first ?? ""): \(error)"
        }
        guard phase == .running else {
            release()
            return false
        }
        return true
    }

    /// Untyped, because errors of two rooms meet here; both become the text of the report.
    private func startProcess() throws {
        // All that can fail comes before the spawn, but for watching the pidfd.
        let timer = try runner.loop.timer(.monotonic) { [unowned self] in timerFired() }
        let pipe = try Pipe()
        let outputSource = try runner.loop.watch(fd: pipe.readEnd.number, .readable) { [unowned self] _ in
            readOutput()
        }
        self.timer = timer
        self.outputSource = outputSource
        let writeEnd = take(pipe)

        var process = ProcessRequest(
            arguments: request.arguments, environment: request.environment, workingDirectory: request.workingDirectory)
        process.standardOutput = writeEnd.number
        process.standardError = writeEnd.number
        let child: ChildProcess
        if case .bytes(let bytes) = request.standardInput {
            let input = try FileDescriptor.holding(bytes)
            process.standardInput = input.number
            child = try Spawner.spawn(process)
        } else {
            child = try Spawner.spawn(process)
        }
        startedUSec = currentUSec(CLOCK_REALTIME)
        try follow(child)
        if request.timeout > .zero {
            arm(after: request.timeout)
        }
    }

    /// Keeps the end to read, and gives back the end to write, which must not stay open here.
    private func take(_ pipe: consuming Pipe) -> FileDescriptor {
        let reader = pipe.readEnd
        let writer = pipe.writeEnd
        outputEnd = consume reader
        return writer
    }

    private func follow(_ child: consuming ChildProcess) throws {
        do {
            exitSource = try runner.loop.watch(fd: child.pidfd.number, .readable) { [unowned self] _ in processEnded() }
        } catch {
            // Without its end ever known the process must not go on.
            child.send(SIGKILL, to: .group)
            _ = child.waitForExit()
            throw error
        }
        pid = child.pid
        self.child = consume child
        phase = .running
    }

    func reportFailedStart() {
        report(.couldNotStart(failure), exit: nil, endedUSec: startedUSec)
    }

    // MARK: - Output

    /// Reads once, and returns how many bytes: 0 when there are none now, or will be none any more. The loop calls it
    /// once a turn, so that a process which writes without end leaves their turns to all others.
    @discardableResult
    private func readOutput() -> Int {
        guard let reading = outputEnd?.read(into: runner.buffer) else { return 0 }
        switch reading {
        case .bytes(let count):
            output.append(UnsafeRawBufferPointer(rebasing: runner.buffer[..<count]))
            return count
        case .wouldBlock:
            return 0
        case .end, .failed:
            // The process may close its output and live on.
            closeOutput()
            return 0
        }
    }

    /// Reads what the pipe held when the process was found ended, which has all that it ever wrote; what others write
    /// meanwhile must not keep us here.
    private func drainOutput() {
        var remaining = outputEnd?.readableByteCount ?? 0
        while remaining > 0 {
            let count = readOutput()
            guard count > 0 else { return }
            remaining -= count
        }
    }

    private func closeOutput() {
        outputSource?.cancel()
        outputSource = nil
        outputEnd = nil
    }

    // MARK: - Ending it

    /// Ends the attempt: TERM to the group, KILL after the grace. It is reported as cancelled once its process has
    /// ended; nothing happens where it has ended already or is being ended.
    public func cancel() {
        guard phase == .running, child?.peekExit() == nil else { return }
        isCancelled = true
        terminate()
    }

    /// Sends KILL to the group at once; as cancelled, where nothing was ending the attempt before.
    public func kill() {
        switch phase {
        case .running where child?.peekExit() == nil:
            isCancelled = true
            killGroup()
        case .terminating: killGroup()
        case .lingering: endLingering()
        case .unstarted, .running, .killed, .ended: break
        }
    }

    private func terminate() {
        phase = .terminating
        child?.send(SIGTERM, to: .group)
        // One that is stopped would see the TERM only when it goes on.
        child?.send(SIGCONT, to: .group)
        arm(after: request.killGrace)
    }

    private func killGroup() {
        phase = .killed
        timer?.disarm()
        child?.send(SIGKILL, to: .group)
    }

    private func timerFired() {
        switch phase {
        case .running:
            // Ended in time, and its end is waiting for its turn of the loop.
            guard child?.peekExit() == nil else { return }
            isTimedOut = true
            terminate()
        case .terminating: killGroup()
        case .lingering: endLingering()
        case .unstarted, .killed, .ended: break
        }
    }

    private func arm(after duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let now = UInt64(currentUSec(CLOCK_MONOTONIC))
        // Longer than the clock lasts is for ever; sd-event takes the largest number for that.
        let (usec, overflows) = UInt64(max(0, seconds)).multipliedReportingOverflow(by: 1_000_000)
        let (sum, overflowsToo) = usec.addingReportingOverflow(UInt64(max(0, attoseconds / 1_000_000_000_000)))
        let (time, overflowsAtLast) = now.addingReportingOverflow(sum)
        timer?.arm(atUSec: overflows || overflowsToo || overflowsAtLast ? .max : time)
    }

    // MARK: - The end

    private func processEnded() {
        let lingers = phase == .terminating
        guard let exit = lingers ? child?.peekExit() : child?.reap() else { return }
        let endedUSec = currentUSec(CLOCK_REALTIME)
        exitSource?.cancel()
        exitSource = nil
        drainOutput()
        closeOutput()
        if lingers {
            phase = .lingering
        } else {
            end()
        }
        report(AttemptReport.Ending(exit.ending), exit: exit, endedUSec: endedUSec)
    }

    /// The grace is over for what is left of the group.
    private func endLingering() {
        child?.send(SIGKILL, to: .group)
        _ = child?.reap()
        end()
    }

    private func end() {
        phase = .ended
        release()
        runner.forget(self)
    }

    private func release() {
        exitSource?.cancel()
        exitSource = nil
        timer?.cancel()
        timer = nil
        closeOutput()
        child = nil
    }

    /// Tells the end, last of all: what it is told to may start anything.
    private func report(_ ending: AttemptReport.Ending, exit: ProcessExit?, endedUSec: Int64) {
        guard let onEnd else { return }
        self.onEnd = nil
        var fileError: String?
        if let path = request.outputPath, output.totalCount > 0 {
            fileError = OutputFile.write(output, to: path)
        }
        onEnd(
            AttemptReport(
                ending: ending, isTimedOut: isTimedOut, isCancelled: isCancelled, startedUSec: startedUSec,
                endedUSec: endedUSec, output: output, outputFileError: fileError, userCPUUSec: exit?.userCPUUSec ?? 0,
                systemCPUUSec: exit?.systemCPUUSec ?? 0, maxRSSKiB: exit?.maxRSSKiB ?? 0))
    }
}

extension AttemptReport.Ending {
    init(_ ending: ProcessExit.Ending) {
        self =
            switch ending {
            case .exited(let status): .exited(status)
            case .signaled(let signal, let coreDumped): .signaled(signal, coreDumped: coreDumped)
            case .lost: .lost
            }
    }
}
