internal import CLinux
internal import Glibc

/// The kernel's clocks, for programs without a loop; a loop has its own, which stands still for a turn.
public enum SystemClock: Sendable {
    /// The wall clock; steps when it is set.
    case realtime
    /// Time since boot without the time asleep; never steps.
    case monotonic

    /// The time in µs, since 1970 or since boot.
    public var nowUSec: Int64 {
        var time = timespec()
        clock_gettime(self == .realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}
