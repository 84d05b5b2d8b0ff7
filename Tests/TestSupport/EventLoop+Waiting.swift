public import EventLoop
import Glibc

/// How long a test waits for what must happen, in seconds. It turns a hang into a failure, and measures nothing: where
/// the machine builds and tests something else as well, a second's work has taken twenty.
public let patience = 60.0

extension EventLoop {
    /// Turns until `isDone`, for `seconds` at most; throws naming what was missing.
    ///
    /// - Parameter usec: how often to look at what the loop is not told of, such as a file: a test that forgets to say
    ///   so would wait for ever where the last event came first. Nil: only when something happens.
    public func turn(
        until what: @autoclosure () -> String, seconds: Double = patience, lookingEvery usec: UInt64? = 50_000,
        _ isDone: () throws -> Bool
    ) throws {
        let deadline = monotonicUSec + UInt64(seconds * 1_000_000)
        while try !isDone() {
            let now = monotonicUSec
            guard now < deadline else { throw TestFailure("\(seconds) s passed without: \(what())") }
            try runOnce(timeoutUSec: min(deadline - now, usec ?? .max))
        }
    }

    /// Turns for as long as something is ready.
    public func turnWhileReady() throws {
        while try runOnce(timeoutUSec: 0) {}
    }

    /// Turns for so long, whatever happens.
    public func turn(forUSec usec: UInt64) throws {
        let end = monotonicUSec + usec
        while case let now = monotonicUSec, now < end { try runOnce(timeoutUSec: end - now) }
    }
}

private var monotonicUSec: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
}
