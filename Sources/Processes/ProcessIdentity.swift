internal import CLinux
internal import Glibc

/// Names a process for good: numbers are given out again, but never with the same start in the same boot.
public struct ProcessIdentity: Hashable, Sendable {
    public let pid: Int32
    /// Since boot, in the kernel's ticks (proc(5), `starttime`).
    public let startTicks: Int64
    /// The boot in which it was started.
    public let bootID: String

    public init(pid: Int32, startTicks: Int64, bootID: String) {
        self.pid = pid
        self.startTicks = startTicks
        self.bootID = bootID
    }

    /// The process that has this number now; nil where there is none.
    public init?(of pid: Int32) {
        guard let status = ProcessStatus(of: pid) else { return nil }
        self.init(pid: pid, startTicks: status.startTicks, bootID: Self.currentBootID)
    }

    /// A pidfd on this very process; nil where it is gone (a zombie that nobody has reaped is still there).
    public func open() -> FileDescriptor? {
        guard bootID == Self.currentBootID else { return nil }
        let number = pidfd_open(pid, 0)
        guard number >= 0 else { return nil }
        let pidfd = FileDescriptor(owning: number)
        // Asked after the pidfd was opened: if it is our process now, the pidfd is on ours.
        guard ProcessStatus(of: pid)?.startTicks == startTicks else { return nil }
        return pidfd
    }

    /// A variable that a supervisor gives to its process, and that with to all it starts: within a boot nobody else's
    /// processes have it.
    public var mark: String { "\(Self.markName)=\(markValue)" }
    public static let markName = "BOTCRON_SUPERVISOR"
    public var markValue: String { "\(pid)-\(startTicks)" }

    public static let bootIDPath = "/proc/sys/kernel/random/boot_id"

    /// The boot of the machine, from the kernel; the same text until the next one. Empty where it cannot be read.
    public static let currentBootID: String = {
        let bytes = FileDescriptor.contents(of: bootIDPath, limit: 64) ?? []
        return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }()
}

// MARK: - As a record

extension ProcessIdentity {
    /// Its three fields under names that begin with `prefix`.
    public func add(to record: inout Record, prefix: String) {
        record.add(prefix + "-pid", Int64(pid))
        record.add(prefix + "-start", startTicks)
        record.add(prefix + "-boot", bootID)
    }

    public init?(_ record: Record, prefix: String) {
        guard let pid = record.number(prefix + "-pid"), let start = record.number(prefix + "-start"),
            let boot = record.text(prefix + "-boot"), pid > 1
        else { return nil }
        self.init(pid: Int32(clamping: pid), startTicks: start, bootID: boot)
    }
}

/// What the kernel says of a process in `/proc/<pid>/stat` (proc(5)).
struct ProcessStatus {
    /// `R`, `S`, `D`, `T`, `Z`, …
    let state: UInt8
    let parent: Int32
    /// `PF_…` of the kernel.
    let flags: UInt32
    let startTicks: Int64

    init?(of pid: Int32) {
        guard let bytes = FileDescriptor.contents(of: "/proc/\(pid)/stat", limit: 1024),
            // The second field is the name in parentheses, which may itself hold parentheses and spaces.
            let name = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = bytes[(name + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 19, let state = fields[0].first,
            let parent = Int32(String(decoding: fields[1], as: UTF8.self)),
            let flags = UInt32(String(decoding: fields[6], as: UTF8.self)),
            let start = Int64(String(decoding: fields[19], as: UTF8.self))
        else { return nil }
        self.state = state
        self.parent = parent
        self.flags = flags
        startTicks = start
    }

    /// Whether it may be between its fork and its program: it has no environment to show for that moment.
    var isBeginning: Bool {
        var now = timespec()
        clock_gettime(CLOCK_BOOTTIME, &now)
        let isNew = Int64(now.tv_sec) - startTicks / Int64(sysconf(Int32(_SC_CLK_TCK))) < Self.beginningSeconds
        let isKernels = flags & Self.kernelThread != 0
        return isNew && !isKernels && state != UInt8(ascii: "Z") && state != UInt8(ascii: "X")
    }

    private static let beginningSeconds: Int64 = 3
    /// `PF_KTHREAD` in the kernel's `include/linux/sched.h`.
    private static let kernelThread: UInt32 = 0x0020_0000
}
