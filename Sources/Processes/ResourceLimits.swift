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

    /// Whether there is nothing that a process can be given.
    var isEmpty: Bool { memoryMax <= 0 && tasksMax <= 0 && nice == nil && ioClass == nil }

    // MARK: - Giving them to a process

    /// One of them.
    enum Kind: Int32 {
        case memoryMax = 1
        case tasksMax
        case nice
        case ioClass

        private var name: String {
            switch self {
            case .memoryMax: "memory_max"
            case .tasksMax: "tasks_max"
            case .nice: "nice"
            case .ioClass: "io_class"
            }
        }

        /// That it could not be set, as a sentence.
        func failure(_ code: Int32) -> String { "\(name) could not be set: \(ProcessError.text(of: code))" }
    }

    /// The limits with what has to be known of the machine for them.
    struct Prepared {
        fileprivate let limits: ResourceLimits
        fileprivate let tasksOfUser: Int64

        /// Sets them for this very process, and what it starts from now on.
        ///
        /// - Parameter note: is told what could not be set, and the errno.
        func apply(note: (Kind, Int32) -> Void) {
            if limits.memoryMax > 0 {
                let (error, code) = Self.set(RLIMIT_DATA, rlim_t(limits.memoryMax))
                if error { note(.memoryMax, code) }
            }
            if limits.tasksMax > 0 {
                let (error, code) = Self.set(__RLIMIT_NPROC, rlim_t(tasksOfUser.addingClamped(limits.tasksMax)))
                if error { note(.tasksMax, code) }
            }
            if let nice = limits.nice, setpriority(Int32(PRIO_PROCESS.rawValue), 0, nice) != 0 { note(.nice, errno) }
            if let ioClass = limits.ioClass, bc_ioprio_set_own(ioClass.rawValue) != 0 { note(.ioClass, errno) }
        }

        private static func set(_ resource: __rlimit_resource, _ value: rlim_t) -> (failed: Bool, code: Int32) {
            var limit = rlimit(rlim_cur: value, rlim_max: value)
            let result = setrlimit(__rlimit_resource_t(resource.rawValue), &limit)
            return (result != 0, errno)
        }
    }

    func prepared() -> Prepared { Prepared(limits: self, tasksOfUser: tasksMax > 0 ? Self.tasksOfUser() : 0) }

    /// Processes and threads that run as this user now, this one included: it stands for the one that is to be.
    private static func tasksOfUser() -> Int64 {
        var count: Int64 = 0
        for pid in ProcessTree.numbers(in: "/proc") {
            var status = stat()
            guard stat("/proc/\(pid)/task", &status) == 0, status.st_uid == getuid() else { continue }
            // `.` and `..`, and a link for each thread.
            count += max(1, Int64(status.st_nlink) - 2)
        }
        return count
    }
}

extension Int64 {
    /// The sum, or the largest number: longer than the clock lasts is for ever.
    public func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? .max : sum
    }
}
