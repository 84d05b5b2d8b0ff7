internal import CLinux
internal import Glibc

/// How a process ended, and what it used.
public struct ProcessExit: Hashable, Sendable {
    public enum Ending: Hashable, Sendable {
        /// With this exit status, 0…255.
        case exited(Int32)
        case signaled(Int32, coreDumped: Bool)
        /// It ended, but somebody else took its status, such as the kernel where SIGCHLD is ignored.
        case lost
    }

    public let ending: Ending
    /// Of the process and those of its descendants that were waited for.
    public let userCPUUSec: Int64
    public let systemCPUUSec: Int64
    /// Of the largest of them. Never less than our own at the moment of the spawn: the kernel counts the memory that a
    /// process leaves at its exec, and that is ours (`exec_mmap` in `fs/exec.c`).
    public let maxRSSKiB: Int64

    static let lost = ProcessExit(ending: .lost, userCPUUSec: 0, systemCPUUSec: 0, maxRSSKiB: 0)
}

extension ProcessExit {
    init(info: siginfo_t, usage: rusage) {
        let status = info._sifields._sigchld.si_status
        ending =
            switch info.si_code {
            case Int32(CLD_EXITED): .exited(status)
            default: .signaled(status, coreDumped: info.si_code == Int32(CLD_DUMPED))
            }
        userCPUUSec = Int64(usage.ru_utime.tv_sec) * 1_000_000 + Int64(usage.ru_utime.tv_usec)
        systemCPUUSec = Int64(usage.ru_stime.tv_sec) * 1_000_000 + Int64(usage.ru_stime.tv_usec)
        maxRSSKiB = Int64(usage.ru_maxrss)
    }
}
