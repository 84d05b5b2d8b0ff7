public import Glibc

/// What `/proc` says of a process.
public enum ProcessState {
    public static var monotonicUSec: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
    }

    /// Whether the process has ended; a zombie that nobody has reaped yet has.
    public static func isGone(_ pid: some BinaryInteger) -> Bool {
        let state = TestFile.text("/proc/\(pid)/stat").split(separator: ")").last?.split(separator: " ").first
        return state == nil || state == "Z" || state == "X"
    }

    /// Ends every process that was started with this home.
    public static func killAll(withHome home: String) {
        for pid in ScratchFolder.names(in: "/proc").compactMap({ Int32($0) }) {
            let environment = TestFile.bytes("/proc/\(pid)/environ") ?? []
            if environment.split(separator: 0).contains(where: { $0.elementsEqual("HOME=\(home)".utf8) }) {
                kill(pid, SIGKILL)
            }
        }
    }

    /// The number behind `name` in `/proc/PID/status`.
    public static func status(_ pid: Int32, _ name: String) -> Int? {
        for line in TestFile.text("/proc/\(pid)/status").split(separator: "\n") where line.hasPrefix(name + ":") {
            return line.dropFirst(name.count + 1).split { $0 == "\t" || $0 == " " }.first.flatMap { Int($0) }
        }
        return nil
    }

    /// How many fds it has; of ourselves the one that is counted by, too.
    public static func openFiles(_ pid: Int32 = getpid()) -> Int { ScratchFolder.names(in: "/proc/\(pid)/fd").count }

    /// What it has in memory.
    public static func residentKiB(_ pid: Int32 = getpid()) -> Int { status(pid, "VmRSS") ?? 0 }
}
