import Glibc
import TestSupport

extension TestProgram {
    /// One that is called over the bus: with the environment of the bench, and what it complains of said there.
    convenience init(service arguments: [String]) throws {
        try self.init(arguments, environment: nil, errors: .inherited)
    }

    /// Ends it in good order.
    func leave() {
        send(SIGTERM)
        wait()
    }

    /// User and system time so far, in µs, to the resolution of the scheduler's accounting.
    var cpuUSec: Double {
        (TestFile.text("/proc/\(pid)/schedstat").split(separator: " ").first.flatMap { Double($0) } ?? 0) / 1000
    }
}

func monotonicNSec() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

extension String {
    func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}

extension Double {
    /// One digit after the point.
    func rounded1() -> String {
        let scaled = Int((self * 10).rounded())
        return "\(scaled / 10).\(scaled % 10)"
    }
}
