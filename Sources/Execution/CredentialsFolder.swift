internal import Glibc
internal import Processes

/// Where the attempts of one runner have their secrets: in memory, a folder for each attempt, as long as it runs.
///
/// The supervisor makes an attempt's folder and removes it. Where that is killed the runner does, and where both are
/// killed the next runner, at its start. Several daemons may share the parent: each has a folder of its own in it,
/// named for the folder of its runs.
struct CredentialsFolder {
    /// nil where nobody has said where there is memory for them.
    private let parent: String?
    /// The folder in which those of attempts are made; nil likewise.
    private let path: String?
    /// The path of the runs' folder.
    private let runs: String

    /// - Parameter runs: the path of the runs' folder, the same in every process that uses it.
    init(in parent: String?, runs: String) {
        self.parent = parent
        self.runs = runs
        path = parent.map { "\($0)/\(String(StableHash.fnv1a(runs), radix: 16))" }
    }

    /// Of an attempt; the supervisor makes it.
    func folder(run: String, attempt: Int) -> String? {
        path.map { "\($0)/\(RunFolder.name(run: run, attempt: attempt))" }
    }

    /// Makes what attempts' folders are made in.
    ///
    /// - Throws: where there is no memory for secrets: a disk keeps what was once written to it.
    func prepare() throws(ExecutionError) {
        guard let parent, let path else {
            throw Self.error(
                found: "there is no folder in memory to keep them in: XDG_RUNTIME_DIR is not set",
                advice: "start the daemon within the session, or set XDG_RUNTIME_DIR to a folder on a tmpfs")
        }
        for folder in [parent, path] {
            if mkdir(folder, 0o700) == 0 { continue }
            let code = errno
            guard code == EEXIST else { throw .file("make the folder of secrets", folder, code: code) }
            var status = stat()
            guard lstat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid() else {
                throw Self.error(found: "“\(folder)” is no folder of this user", advice: "remove it")
            }
        }
        guard Folder(path).isInMemory else {
            throw Self.error(
                found: "“\(parent)” is on a disk, which would keep them",
                advice: "let XDG_RUNTIME_DIR name a folder on a tmpfs")
        }
    }

    private static func error(found: String, advice: String) -> ExecutionError {
        ExecutionError(operation: "keep", object: "the secrets of the run", found: found, advice: advice)
    }

    /// Removes the secrets of an attempt that is over.
    func remove(run: String, attempt: Int) {
        if let folder = folder(run: run, attempt: attempt) { Folder(folder).remove() }
    }

    /// Removes the secrets of all attempts but those that a supervisor holds.
    func sweep() {
        guard let path else { return }
        for name in (try? Folder(path).names()) ?? [] {
            // What cannot be known now stays; the next start sweeps again.
            guard (try? AttemptFolder(path: "\(runs)/\(name)").isHeld()) == false else { continue }
            Folder("\(path)/\(name)").remove()
        }
    }
}
