internal import CLinux
internal import Glibc

/// What a process and all that it starts may use of the machine, as far as processes can be limited one by one; 0 or
/// nil is as much as they like.
///
/// A control group limits them all together and is to be preferred: `memoryMax` here is for the data of each process
/// (`RLIMIT_DATA`), and `tasksMax` counts on top of what the user runs when the process starts (`RLIMIT_NPROC`, which
/// does not hold root).
public struct ResourceLimits: Equatable, Sendable {
    public enum IOClass: Int32, Sendable {
        case realtime = 1
        case bestEffort = 2
        case idle = 3
    }

    /// Bytes.
    public var memoryMax: Int64 = 0
    public var tasksMax: Int64 = 0
    public var nice: Int32?
    public var ioClass: IOClass?
    /// Processor time is to be limited, which only a control group can.
    public var hasCPUQuota = false

    public init() {}

    /// Sets them for a process that has just begun, and its group.
    ///
    /// - Returns: what could not be set, a sentence each.
    public func apply(to pid: Int32) -> [String] {
        var failures: [String] = []
        func note(_ what: String, _ code: Int32) {
            failures.append("\(what) could not be set: \(ProcessError.text(of: code))")
        }
        if memoryMax > 0 {
            var limit = rlimit(rlim_cur: rlim_t(memoryMax), rlim_max: rlim_t(memoryMax))
            if bc_prlimit(pid, Int32(BC_RLIMIT_DATA), &limit) != 0 { note("memory_max", errno) }
        }
        if tasksMax > 0 {
            let count = rlim_t(Self.tasksOfUser() + tasksMax)
            var limit = rlimit(rlim_cur: count, rlim_max: count)
            if bc_prlimit(pid, Int32(BC_RLIMIT_NPROC), &limit) != 0 { note("tasks_max", errno) }
        }
        if let nice, setpriority(Int32(PRIO_PGRP.rawValue), id_t(pid), nice) != 0 { note("nice", errno) }
        if let ioClass, bc_ioprio_set_group(pid, ioClass.rawValue) != 0 { note("io_class", errno) }
        return failures
    }

    /// Processes and threads that run as this user now, but for this process.
    private static func tasksOfUser() -> Int64 {
        var count: Int64 = 0
        for pid in ProcessTree.numbers(in: "/proc") where pid != getpid() {
            var status = stat()
            guard stat("/proc/\(pid)/task", &status) == 0, status.st_uid == getuid() else { continue }
            // `.` and `..`, and a link for each thread.
            count += max(1, Int64(status.st_nlink) - 2)
        }
        return count
    }
}
