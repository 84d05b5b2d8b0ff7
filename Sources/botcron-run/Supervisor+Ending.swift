import Glibc
import Processes

/// How an attempt is brought to its end, and how its end is noticed and recorded.
extension Supervisor {
    /// Descendants that outlive even KILL for so long (they hang in the kernel) are left where they are. The process of
    /// the attempt itself is waited for as long as it takes.
    private static let giveUpAfterUSec: Int64 = 10_000_000

    // MARK: - Making it end

    func cancel() {
        guard case .running = phase, child?.peekExit() == nil else { return }
        outcome.isCancelled = true
        terminate()
    }

    func cancelAtOnce() {
        switch phase {
        case .running where child?.peekExit() == nil:
            outcome.isCancelled = true
            kill()
        case .terminating: kill()
        case .running, .killing: break
        }
    }

    func terminate() {
        phase = .terminating(killUSec: SystemClock.monotonic.nowUSec.addingClamped(max(0, request.killGraceUSec)))
        // Seen before anybody is told: who is orphaned by a TERM could be missed on its way to us, and what a program
        // starts to clean up after itself is not meant.
        let members = tree.members()
        // The group at one blow; whoever left it one by one. Who is stopped sees the TERM only when it goes on.
        child?.send(SIGTERM, to: .group)
        child?.send(SIGCONT, to: .group)
        tree.send([SIGTERM, SIGCONT], to: members, outsideGroup: child?.pid ?? 0)
    }

    func kill() {
        phase = .killing(giveUpUSec: SystemClock.monotonic.nowUSec.addingClamped(Self.giveUpAfterUSec))
        child?.send(SIGKILL, to: .group)
        tree.kill()
    }

    // MARK: - Noticing the end

    func processEnded() {
        guard let exit = child?.reap() else { return }
        outcome.ending =
            switch exit.ending {
            case .exited(let status): .exited(status)
            case .signaled(let signal, let coreDumped): .signaled(signal, coreDumped: coreDumped)
            case .lost: .lost("somebody else took the exit status of its process")
            }
        guard case .running = phase else { return endIfAlone() }
        end()
    }

    /// Of those that were left to us so many are reaped in one turn, some ms: a process may orphan them as fast as we
    /// reap.
    private static let orphansPerTurn = 1024
    /// While that many wait the tree is walked only every so many turns: whoever waits to be reaped is walked as well.
    private static let turnsPerWalk = 16

    /// Somebody below us has ended: reaps those that were left to us.
    func reapOrphans() {
        mayHaveOrphans = false
        for count in 1...Self.orphansPerTurn {
            var info = siginfo_t()
            guard waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 else { break }
            let pid = info._sifields._sigchld.si_pid
            guard pid != 0 else { break }
            mayHaveOrphans = count == Self.orphansPerTurn
            if pid == child?.pid, child?.isReaped == false {
                processEnded()
            } else {
                waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG)
            }
        }
        turnsWithOrphans = mayHaveOrphans ? turnsWithOrphans + 1 : 0
        if case .killing = phase, turnsWithOrphans % Self.turnsPerWalk == 0 {
            // Those of the killed that were not seen below their parents are below us now.
            tree.kill()
        }
        endIfAlone()
    }

    private func endIfAlone() {
        if case .running = phase { return }
        var info = siginfo_t()
        guard child?.isReaped != false, !isOver, waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 else {
            return
        }
        end()
    }

    func end() {
        outcome.endedUSec = SystemClock.realtime.nowUSec
        isOver = true
        drainOutput()
        drainContext()
        // What the process has left behind may hold the other ends.
        if let number = output?.number, !OutputDrain.hasWriters(number) { output = nil }
        if let number = context?.number, !OutputDrain.hasWriters(number) { context = nil }
    }

    /// Stays behind for those who may still write, where there are any, as a process of its own: this one has ended for
    /// whoever waits for it. Without any it costs two looks at the ends above.
    func leaveDrain() {
        releaseLock()
        OutputDrain.leave(at: [output?.number, context?.number].compactMap { $0 })
    }

    // MARK: - The record

    /// A folder that cannot be written now is tried again for a minute: the record is all that is left of the attempt.
    private static let recordTries = 60

    /// Writes how it ended, and says how to exit: without the record, where that failed for too long or there is no
    /// folder any more.
    ///
    /// Durably, by two fsyncs, where nobody waits for it. The daemon that does has its own synced commit of it before
    /// it tells anybody: until then a power cut may take the outcome, and the run is then on record as interrupted, as
    /// it would be had the power gone a moment earlier. (A file that comes back with holes is no whole record.)
    func recordOutcome() -> SupervisorExit {
        if !request.credentials.isEmpty { Credentials.remove(request.credentialsFolder) }
        recorder.finish()
        outcome.outputCount = Int64(recorder.totalCount)
        outcome.headCount = Int64(recorder.headCount)
        outcome.tailCount = Int64(recorder.tailCount)
        outcome.outputDigest = Int64(bitPattern: recorder.digest.value)
        outcome.outputError = recorder.failure
        for _ in 1..<Self.recordTries {
            if writeOutcome() { return .recorded }
            guard hasFolder else { break }
            // All that is left to do is to record the end, and a full disk tells nobody when it has room.
            sleep(1)
        }
        if hasFolder, writeOutcome() { return .recorded }
        switch outcome.ending {
        case .exited, .signaled, .lost: return .unrecorded
        case .shortOfResources: return .shortOfResources
        case .couldNotStart: return .notBegun
        }
    }

    /// Whether the folder that this process works in is still there for others.
    private var hasFolder: Bool {
        var status = stat()
        return stat(".", &status) != 0 || status.st_nlink > 0
    }

    private func writeOutcome() -> Bool {
        let number = open(RunFolder.outcomeDraftName, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o600)
        guard number >= 0 else { return false }
        let file = FileDescriptor(owning: number)
        if file.write(outcome.record.bytes) != nil {
            // The room that was reserved is enough without what the process said of itself.
            outcome.remarks = [:]
            lseek(number, 0, SEEK_SET)
            if file.write(outcome.record.bytes) != nil { return false }
        }
        ftruncate(number, lseek(number, 0, SEEK_CUR))
        let isAwaited = getppid() == request.parent
        if !isAwaited { fsync(number) }
        guard rename(RunFolder.outcomeDraftName, RunFolder.outcomeName) == 0 else { return false }
        recorder.discardSegments()
        if !isAwaited { Self.syncFolder() }
        return true
    }

    private static func syncFolder() {
        let number = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { return }
        let folder = FileDescriptor(owning: number)
        fsync(folder.number)
    }
}
