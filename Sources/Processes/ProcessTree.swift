internal import CLinux
internal import Glibc

/// All that descends from a process which adopts its orphans (`PR_SET_CHILD_SUBREAPER`): groups and sessions of their
/// own do not hide anybody here.
///
/// A walk is a look at something that moves: what forks or is orphaned meanwhile may be missed, and the next walk finds
/// it below its new parent. So whoever wants all of them gone walks again each time a child has ended, until there are
/// no children left.
public struct ProcessTree: Sendable {
    private let root: Int32

    /// The tree below any process; what is orphaned in it is lost from it.
    public init(below root: Int32) {
        self.root = root
    }

    /// The tree below this process, which takes in the orphans among its descendants from now on.
    public static func adopting() -> ProcessTree {
        _ = bc_become_subreaper()
        return ProcessTree(below: getpid())
    }

    /// Every descendant, parents before children.
    public func members() -> [Int32] {
        var found: [Int32] = []
        var seen: Set<Int32> = [root]
        var next = [root]
        while let parent = next.popLast() {
            for child in Self.children(of: parent) where seen.insert(child).inserted {
                found.append(child)
                next.append(child)
            }
        }
        return found
    }

    /// Sends each of `signals` to those of `members` that are descendants still, but for the process group `group`,
    /// which has had them: nobody gets one twice, because many programs take a second TERM for an order to drop
    /// everything.
    public func send(_ signals: [Int32], to members: [Int32], outsideGroup group: Int32) {
        let relatives = Set(members + [root])
        for pid in members where getpgid(pid) != group {
            for signal in signals { Self.send(signal, to: pid, below: relatives) }
        }
    }

    /// Sends KILL to every descendant. They are stopped first, so that none forks on while the others are killed.
    public func kill() {
        var stopped: Set<Int32> = [root]
        let deadline = SystemClock.monotonic.nowUSec + Self.stopUSecMax
        for _ in 0..<Self.stopPassesMax where SystemClock.monotonic.nowUSec < deadline {
            let new = members().filter { !stopped.contains($0) }
            guard !new.isEmpty else { break }
            for pid in new {
                Self.send(SIGSTOP, to: pid, below: stopped)
                stopped.insert(pid)
            }
        }
        for pid in members() {
            Self.send(SIGKILL, to: pid, below: stopped)
            stopped.insert(pid)
        }
    }

    /// Walks that look for newcomers to stop. Beyond it what is known is killed, and the next call goes on.
    private static let stopPassesMax = 64
    /// How long they take together, at most: those that have ended and nobody has reaped yet are walked as well.
    private static let stopUSecMax: Int64 = 200_000

    // MARK: - Without a root

    /// Sends KILL to every process of this user that was started with this variable (`NAME=value`) in its environment:
    /// for those whom no tree is left to be found in.
    public static func kill(marked variable: String) {
        let wanted = Array(variable.utf8)
        for _ in 0..<markedPassesMax {
            var isDone = true
            for pid in numbers(in: "/proc") where pid != getpid() {
                let number = pidfd_open(pid, 0)
                guard number >= 0 else { continue }
                // Looked at after it was opened: what is marked now is what gets the signal.
                let pidfd = FileDescriptor(owning: number)
                let path = "/proc/\(pid)/environ"
                guard let bytes = FileDescriptor.contents(of: path, limit: environmentBytesMax) else { continue }
                if bytes.isEmpty {
                    if ProcessStatus(of: pid)?.isBeginning ?? false { isDone = false }
                } else if bytes.split(separator: 0).contains(where: { $0.elementsEqual(wanted) }) {
                    pidfd.signalProcess(SIGKILL)
                    isDone = false
                }
            }
            guard !isDone else { return }
            // The kernel tells nobody that a fork has come to its exec.
            usleep(1000)
        }
    }

    /// Looks, a millisecond apart, for what forked meanwhile or was just beginning.
    private static let markedPassesMax = 64
    /// More than the kernel lets arguments and environment have together.
    private static let environmentBytesMax = 8 << 20

    // MARK: - The kernel's view

    /// Signals `pid` if it is still a child of one of `relatives`: its number may have passed to a stranger since.
    private static func send(_ signal: Int32, to pid: Int32, below relatives: Set<Int32>) {
        let number = pidfd_open(pid, 0)
        guard number >= 0 else { return }
        let pidfd = FileDescriptor(owning: number)
        guard let status = ProcessStatus(of: pid), relatives.contains(status.parent) else { return }
        pidfd_send_signal(pidfd.number, signal, nil, 0)
    }

    /// From `/proc/<pid>/task/<tid>/children`: each thread has those that it started.
    private static func children(of pid: Int32) -> [Int32] {
        numbers(in: "/proc/\(pid)/task").flatMap { thread in
            let path = "/proc/\(pid)/task/\(thread)/children"
            let bytes = FileDescriptor.contents(of: path, limit: childrenBytesMax) ?? []
            return bytes.split(separator: UInt8(ascii: " ")).compactMap { Int32(String(decoding: $0, as: UTF8.self)) }
        }
    }

    /// Of one thread's children so many are seen at once, in characters; the others in the next walk.
    private static let childrenBytesMax = 1 << 20

    /// The names in a folder that are numbers; none where there is no such folder.
    static func numbers(in path: String) -> [Int32] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var numbers: [Int32] = []
        while let entry = readdir(folder) {
            let number = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { Int32(String(cString: $0)) }
            }
            if let number { numbers.append(number) }
        }
        return numbers
    }
}
