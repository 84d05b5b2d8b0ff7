internal import Glibc
internal import Processes

/// Finds supervisors whose folders are gone, or do not show them any longer: somebody removed what lies in the runs'
/// folder while they were at work. A supervisor works in its attempt's folder, and the kernel remembers where that was.
struct SupervisorSearch {
    /// The pid of each supervisor by the path of its folder.
    private let pids: [String: Int32]

    /// Reads `/proc` once, for any number of attempts.
    init() throws(ExecutionError) {
        var pids: [String: Int32] = [:]
        let names: [String]
        do throws(ProcessError) { names = try Folder("/proc").names() } catch { throw ExecutionError(error) }
        for pid in names.lazy.compactMap({ Int32($0) }) where pid != getpid() {
            guard let folder = Self.folder(of: pid), Self.isSupervisor(pid) else { continue }
            pids[folder] = pid
        }
        self.pids = pids
    }

    /// Kills the supervisor of this folder with all that descends from it; false where there is none.
    func kill(_ folder: String) -> Bool {
        guard let pid = pids[folder], let supervisor = ProcessIdentity(of: pid), let pidfd = supervisor.open(),
            // Asked again now that the pidfd is on this very process.
            Self.folder(of: pid) == folder
        else { return false }
        // Stopped first, so that it starts nothing while its tree is killed.
        pidfd.signalProcess(SIGSTOP)
        ProcessTree(below: pid).kill()
        pidfd.signalProcess(SIGKILL)
        ProcessTree.kill(marked: supervisor.mark)
        return true
    }

    /// Where it works; the kernel says ` (deleted)` behind the path of a folder that is gone.
    private static func folder(of pid: Int32) -> String? {
        var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = bytes.withUnsafeMutableBytes { buffer in
            buffer.bindMemory(to: CChar.self).baseAddress.map { readlink("/proc/\(pid)/cwd", $0, buffer.count) } ?? 0
        }
        guard count > 0 else { return nil }
        let path = String(decoding: bytes[..<count], as: UTF8.self)
        let deleted = " (deleted)"
        return path.hasSuffix(deleted) ? String(path.dropLast(deleted.count)) : path
    }

    /// By its argv: the program's name, and a run.
    private static func isSupervisor(_ pid: Int32) -> Bool {
        let bytes = FileDescriptor.contents(of: "/proc/\(pid)/cmdline", limit: commandBytesMax) ?? []
        let words = bytes.split(separator: 0, omittingEmptySubsequences: false)
        guard words.count > 2, let program = words.first else { return false }
        let name = program.split(separator: UInt8(ascii: "/")).last ?? []
        return name.elementsEqual(SupervisorProgram.name.utf8)
    }

    /// Of a command line so much is looked at: the program and the run stand at its start.
    private static let commandBytesMax = 8192
}
