internal import Glibc
internal import Processes

/// The daemon's hand on the folder of one attempt; see `RunFolder` for what is in it.
struct AttemptFolder {
    let path: String

    init(path: String) {
        self.path = path
    }

    init(in runs: String, run: String, attempt: Int) {
        path = "\(runs)/\(RunFolder.name(run: run, attempt: attempt))"
    }

    private func file(_ name: String) -> String { "\(path)/\(name)" }

    // MARK: - Before the start

    /// Makes the folder with the room for the outcome, and gives back the identity file, locked: the lock goes to the
    /// supervisor with this fd. What an earlier attempt of the same name has left is removed: the store does not know
    /// it, so it is of a run that was never promised.
    func make(run: String, attempt: Int, outputLimit: Int) throws(ExecutionError) -> FileDescriptor {
        var made = mkdir(path, 0o700)
        var code = errno
        if made != 0, code == EEXIST {
            remove()
            made = mkdir(path, 0o700)
            code = errno
        }
        guard made == 0 else { throw .file("make the folder", path, code: code) }
        var record = Record()
        record.add("run", run)
        record.add("attempt", Int64(attempt))
        record.add("limit", Int64(outputLimit))
        let identity = try open(RunFolder.identityName, O_APPEND)
        // Nobody else knows the file yet: it is free.
        flock(identity.number, LOCK_EX | LOCK_NB)
        if let code = identity.write(record.openBytes) {
            throw .file("write", file(RunFolder.identityName), code: code)
        }
        let draft = try open(RunFolder.outcomeDraftName, 0)
        // So that a disk that fills up meanwhile cannot keep the outcome from being recorded.
        code = posix_fallocate(draft.number, 0, Self.outcomeBytesReserved)
        guard code == 0 || code == EOPNOTSUPP else {
            throw .file("reserve the outcome's room in", file(RunFolder.outcomeDraftName), code: code)
        }
        return identity
    }

    private static let outcomeBytesReserved: off_t = 4096

    private func open(_ name: String, _ flags: Int32) throws(ExecutionError) -> FileDescriptor {
        let path = file(name)
        let number = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | flags, 0o600)
        let code = errno
        guard number >= 0 else { throw .file("make", path, code: code) }
        return FileDescriptor(owning: number)
    }

    // MARK: - While it runs, and after

    /// What stands in the identity file so far; empty where there is none.
    var identity: Record {
        Record(parsing: FileDescriptor.contents(of: file(RunFolder.identityName), limit: 1 << 16) ?? [])
    }

    var supervisor: ProcessIdentity? { ProcessIdentity(identity, prefix: "supervisor") }

    /// The attempt's own process, and leader of its group.
    var process: ProcessIdentity? { ProcessIdentity(identity, prefix: "process") }

    /// How it ended; nil while it has not, and where nobody could say.
    ///
    /// - Throws: where it may be there and cannot be read now: that says nothing about the attempt.
    func readOutcome() throws(ExecutionError) -> SupervisorOutcome? {
        guard let outcome = try openIfThere(RunFolder.outcomeName) else { return nil }
        guard let bytes = outcome.remainder(limit: 1 << 20) else {
            throw .file("read", file(RunFolder.outcomeName), code: EIO)
        }
        return SupervisorOutcome(Record(parsing: bytes))
    }

    /// What the process has said of itself so far, and whether it is `stalled`.
    var remarkRecord: Record {
        let bytes = FileDescriptor.contents(of: file(RunFolder.remarksName), limit: 1 << 20) ?? []
        let record = Record(parsing: bytes)
        return record.isComplete ? record : Record()
    }

    var output: OutputReader { OutputReader(folder: path) }

    /// Whether a supervisor holds the attempt: it has the lock from before its first instruction to after its last.
    ///
    /// - Throws: where that cannot be known now.
    func isHeld() throws(ExecutionError) -> Bool {
        guard let identity = try openIfThere(RunFolder.identityName) else { return false }
        return flock(identity.number, LOCK_SH | LOCK_NB) != 0
    }

    /// nil where there is no such file.
    private func openIfThere(_ name: String) throws(ExecutionError) -> FileDescriptor? {
        let number = Glibc.open(file(name), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        let code = errno
        if number >= 0 { return FileDescriptor(owning: number) }
        guard code == ENOENT || code == ENOTDIR else { throw .file("open", file(name), code: code) }
        return nil
    }

    /// Waits until the supervisor that holds the folder has said who it is: its first act, so this takes time only
    /// where it is just being started. One that hangs there keeps nobody waiting for longer than the deadline.
    func awaitSupervisor() throws(ExecutionError) {
        var waits = 0
        while supervisor == nil, try isHeld(), waits < Self.supervisorWaitsMax {
            usleep(1000)
            waits += 1
        }
    }

    /// Milliseconds.
    private static let supervisorWaitsMax = 2000

    /// When the attempt was started, about: its identity is complete from then on, and never written again.
    var startedUSec: Int64? {
        var status = stat()
        guard stat(file(RunFolder.identityName), &status) == 0 else { return nil }
        return Int64(status.st_mtim.tv_sec) * 1_000_000 + Int64(status.st_mtim.tv_nsec) / 1000
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
    func remove() {
        removeFolder(file(Self.credentialsName))
        removeFolder(path)
    }

    /// The folder of secrets, where the attempt has its own.
    static let credentialsName = "credentials"

    /// The names in a folder but `.` and `..`, in no order; none where there is no folder.
    static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}

/// Removes a folder that has files only.
func removeFolder(_ path: String) {
    for name in AttemptFolder.names(in: path) { unlink("\(path)/\(name)") }
    rmdir(path)
}
