internal import CLinux
internal import Glibc

/// A process that we started, leader of its own process group, until it is reaped.
///
/// Its pid, and so the id of its group, cannot pass to a stranger before `reap` has returned its exit: signals go to
/// the right process or nowhere. One that is dropped unreaped stays a zombie for as long as we live.
public struct ChildProcess: ~Copyable {
    public let pid: Int32
    /// Readable once the process has ended.
    public let pidfd: FileDescriptor
    public private(set) var isReaped = false
    /// Which of its limits could not be set, and why; a sentence each.
    public let unsetLimits: [String]

    init(pid: Int32, pidfd: consuming FileDescriptor, unsetLimits: [String]) {
        self.pid = pid
        self.pidfd = pidfd
        self.unsetLimits = unsetLimits
    }

    // MARK: - Signals

    public enum Target: Sendable {
        case process
        /// The process and all that it started, but for those that made a session or group of their own.
        case group
    }

    /// Sends `signal` (0 only asks); false when nobody was there to get it. An ended leader still counts as there until
    /// it is reaped.
    @discardableResult
    public func send(_ signal: Int32, to target: Target) -> Bool {
        guard !isReaped else { return false }
        switch target {
        case .process: return pidfd_send_signal(pidfd.number, signal, nil, 0) == 0
        case .group: return kill(-pid, signal) == 0
        }
    }

    // MARK: - The end

    /// How the process ended, or nil while it runs. It stays to be reaped, and its group's id stays ours.
    public func peekExit() -> ProcessExit? {
        wait(WEXITED | WNOHANG | WNOWAIT)
    }

    /// How the process ended, or nil while it runs; with its exit returned it is gone. Asked again it is `lost`.
    public mutating func reap() -> ProcessExit? {
        let exit = wait(WEXITED | WNOHANG)
        isReaped = isReaped || exit != nil
        return exit
    }

    /// Waits for the end as long as it takes, and reaps. For programs without a loop.
    public mutating func waitForExit() -> ProcessExit {
        let exit = wait(WEXITED) ?? .lost
        isReaped = true
        return exit
    }

    private func wait(_ options: Int32) -> ProcessExit? {
        var info = siginfo_t()
        var usage = rusage()
        while true {
            // By pidfd and not by pid: also after somebody else has reaped it this asks about no other process.
            let result = bc_waitid_pidfd(pidfd.number, &info, options, &usage)
            let code = errno
            if result == 0 {
                return info._sifields._sigchld.si_pid == 0 ? nil : ProcessExit(info: info, usage: usage)
            }
            if code != EINTR { return .lost }
        }
    }

    /// Makes ends of children ours to learn. Whoever started us may have ignored SIGCHLD, which outlives `exec`, and
    /// then the kernel throws every exit status away. Once, early, and from one thread.
    public static func claimExits() {
        var action = sigaction()
        guard sigaction(SIGCHLD, nil, &action) == 0 else { return }
        let discards = action.sa_flags & SA_NOCLDWAIT != 0
        if discards || unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1 {
            signal(SIGCHLD, SIG_DFL)
        }
    }
}
