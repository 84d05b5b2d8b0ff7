internal import Glibc
internal import Processes

/// The daemon's hand on the folder of one attempt; see `RunFolder` for what is in it.
///
/// What is read here was written by others, and may be anything: it is read as a regular file within a bound, or taken
/// for not there.
struct AttemptFolder {
    let path: String

    init(path: String) {
        self.path = path
    }

    init(in runs: String, run: String, attempt: Int) {
        path = "\(runs)/\(RunFolder.name(run: run, attempt: attempt))"
    }

    private func file(_ name: String) -> String { "\(path)/\(name)" }

    private var folder: Folder { Folder(path) }

    // MARK: - Before the start

    /// Makes the folder, empty, or empties the one that is there: what an earlier attempt of the same name has left
    /// is of a run that was never promised, because the store does not know it.
    ///
    /// - Throws: where it cannot be made, or where a supervisor holds it.
    func claim() throws(ExecutionError) {
        if mkdir(path, 0o700) == 0 { return }
        var code = errno
        guard code == EEXIST else { throw .file("make the folder", path, code: code) }
        guard try !isHeld() else { throw .file("empty the folder", path, code: EBUSY) }
        if folder.exists {
            let names: [String]
            do throws(ProcessError) { names = try folder.names() } catch { throw ExecutionError(error) }
            guard !names.isEmpty, !folder.clear() else { return }
            throw .file("empty the folder", path, code: ENOTEMPTY)
        }
        // A file or a link where our folder is to be.
        unlink(path)
        code = mkdir(path, 0o700) == 0 ? 0 : errno
        guard code == 0 else { throw .file("make the folder", path, code: code) }
    }

    /// Claims the folder, makes room in it for the outcome, and gives back the identity file, locked: the lock goes to
    /// the supervisor with this fd.
    func make(run: String, attempt: Int, outputLimit: Int) throws(ExecutionError) -> FileDescriptor {
        try claim()
        var record = Record()
        record.add("run", run)
        record.add("attempt", Int64(attempt))
        record.add("limit", Int64(outputLimit))
        let identity = try create(RunFolder.identityName, O_APPEND)
        // Nobody else knows the file yet: it is free.
        flock(identity.number, LOCK_EX | LOCK_NB)
        if let code = identity.write(record.openBytes) {
            throw .file("write", file(RunFolder.identityName), code: code)
        }
        let draft = try create(RunFolder.outcomeDraftName, 0)
        // So that a disk that fills up meanwhile cannot keep the outcome from being recorded.
        let code = posix_fallocate(draft.number, 0, Self.outcomeBytesReserved)
        guard code == 0 || code == EOPNOTSUPP else {
            throw .file("reserve the outcome's room in", file(RunFolder.outcomeDraftName), code: code)
        }
        return identity
    }

    private static let outcomeBytesReserved: off_t = 4096

    private func create(_ name: String, _ flags: Int32) throws(ExecutionError) -> FileDescriptor {
        let path = file(name)
        let number = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | flags, 0o600)
        let code = errno
        guard number >= 0 else { throw .file("make", path, code: code) }
        return FileDescriptor(owning: number)
    }

    /// The output of an attempt that has ended, in this folder too: it stays as long as this one, whatever becomes of
    /// the other. A second name of the file and not a copy, which of a large one takes long.
    ///
    /// - Returns: its path; nil where there is none any more.
    func linkPrevious(_ other: AttemptFolder) -> String? {
        let path = file(RunFolder.previousName)
        unlink(path)
        return link(other.file(RunFolder.outputName), path) == 0 ? path : nil
    }

    // MARK: - While it runs, and after

    /// What stands in the identity file so far; empty where there is none.
    var identity: Record {
        Record(
            parsing: FileDescriptor.contents(
                of: file(RunFolder.identityName), limit: RunFolder.identityBytesMax) ?? [],
            fieldsMax: RunFolder.fieldsMax)
    }

    var supervisor: ProcessIdentity? { ProcessIdentity(identity, prefix: "supervisor") }

    /// The attempt's own process, and leader of its group.
    var process: ProcessIdentity? { ProcessIdentity(identity, prefix: "process") }

    /// Whether the supervisor went past its gate: from then on a process of the job may have been.
    var hasBegun: Bool {
        let identity = identity
        // A supervisor of an earlier version says only the second.
        return identity.isSet(RunFolder.begunField) || ProcessIdentity(identity, prefix: "process") != nil
    }

    /// Whether its identity is there: without that nothing follows from what it does not say.
    var isNamed: Bool { identity.text("run") != nil }

    /// Whether there is the folder itself.
    var exists: Bool { folder.exists }

    /// How it ended; nil while it has not, and where nobody could say.
    ///
    /// - Throws: where it may be there and cannot be read now: that says nothing about the attempt.
    func readOutcome() throws(ExecutionError) -> SupervisorOutcome? {
        guard let outcome = try openIfThere(RunFolder.outcomeName) else { return nil }
        guard let bytes = outcome.remainder(limit: RunFolder.recordBytesMax) else {
            throw .file("read", file(RunFolder.outcomeName), code: EIO)
        }
        return SupervisorOutcome(parsing: bytes)
    }

    /// What the process has said of itself so far, and whether it is `stalled`.
    var remarkRecord: Record {
        let bytes = FileDescriptor.contents(of: file(RunFolder.remarksName), limit: RunFolder.recordBytesMax) ?? []
        let record = Record(parsing: bytes, fieldsMax: RunFolder.fieldsMax)
        return record.isComplete ? record : Record()
    }

    func write(answer line: String, to question: Int) throws(ExecutionError) {
        var record = Record()
        record.add("question", Int64(question))
        record.add("answer", line)
        let draft = file(RunFolder.answerDraftName)
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let number = Glibc.open(draft, flags, 0o600)
        guard number >= 0 else { throw .file("make", draft, code: errno) }
        if let code = FileDescriptor(owning: number).write(record.bytes) { throw .file("write", draft, code: code) }
        guard rename(draft, file(RunFolder.answerName)) == 0 else { throw .file("replace", draft, code: errno) }
    }

    var output: OutputReader { OutputReader(folder: path) }

    /// Whether a supervisor holds the attempt: it has the lock from before its first instruction until how it ended is
    /// on record.
    ///
    /// - Throws: where that cannot be known now.
    func isHeld() throws(ExecutionError) -> Bool {
        guard let identity = try openIfThere(RunFolder.identityName) else { return false }
        return flock(identity.number, LOCK_SH | LOCK_NB) != 0
    }

    /// nil where there is no such file, and where something else has its name: a supervisor makes nothing but files.
    private func openIfThere(_ name: String) throws(ExecutionError) -> FileDescriptor? {
        do throws(ProcessError) {
            return try FileDescriptor.file(file(name))
        } catch {
            guard [ENOENT, ENOTDIR, ELOOP, ENXIO, EINVAL].contains(error.errorNumber) else {
                throw ExecutionError.file("open", file(name), code: error.errorNumber)
            }
            return nil
        }
    }

    /// Waits until the supervisor that holds the folder is past its gate, or gone: who started it is dead, so the gate
    /// is open, and this takes time only where it is just being started or just gives up. One that hangs there keeps
    /// nobody waiting for longer than the deadline.
    func awaitGate() throws(ExecutionError) {
        var waits = 0
        while !hasBegun, try isHeld(), waits < Self.supervisorWaitsMax {
            // A supervisor that has just been started needs some milliseconds, and tells nobody when it is past its
            // gate.
            usleep(1000)
            waits += 1
        }
    }

    /// Milliseconds.
    private static let supervisorWaitsMax = 2000

    /// When the attempt was started, about: its identity is complete from then on, and never written again.
    var startedUSec: Int64? {
        var status = stat()
        guard lstat(file(RunFolder.identityName), &status) == 0 else { return nil }
        let (usec, overflows) = Int64(status.st_mtim.tv_sec).multipliedReportingOverflow(by: 1_000_000)
        return overflows ? nil : usec &+ Int64(status.st_mtim.tv_nsec) / 1000
    }

    /// Ends what a supervisor that was killed left running: nobody can say any more what becomes of it, and the next
    /// attempt must not run beside it.
    func killLeftovers() {
        let identity = identity
        let supervisor = ProcessIdentity(identity, prefix: "supervisor")
        if let scope = identity.text("scope"), supervisor?.bootID == ProcessIdentity.currentBootID {
            ControlGroup(path: scope).kill()
        }
        if let process, let pidfd = process.open() {
            ProcessTree(below: process.pid).kill()
            pidfd.signalProcess(SIGKILL)
            // Its leader was there a moment ago, so the group is still its own.
            kill(-process.pid, SIGKILL)
        }
        // Those whose parents are gone, and the one that was started in the moment in which its supervisor died, before
        // that had written down who it is: all have the supervisor's mark in their environment.
        if let supervisor, supervisor.bootID == ProcessIdentity.currentBootID {
            ProcessTree.kill(marked: supervisor.mark)
        }
    }

    // MARK: - Removing

    /// Removes the folder with what is in it; no folder is fine.
    ///
    /// - Returns: false where it stays: a supervisor holds it, or that cannot be known now, or it cannot be removed.
    @discardableResult
    func remove() -> Bool {
        guard (try? isHeld()) == false else { return false }
        return folder.remove()
    }
}
