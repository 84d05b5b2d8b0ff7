internal import CLinux
internal import Glibc

/// What turns of the loop take: how long one source's handler keeps all others waiting.
///
/// A turn is the handling of one source. *Busy* is its processor time, which other programs do not disturb; *late* its
/// wall time, less what it spent in `waiting`. What is exempt by design counts for neither, and is kept by name.
public final class TurnMeter {
    public private(set) var turns = 0
    /// Of the longest turn, in µs of processor time.
    public private(set) var busyUSecMax: Int64 = 0
    /// Of the longest turn, in µs of wall time.
    public private(set) var lateUSecMax: Int64 = 0
    /// By name, what is exempt: how often it came, and the longest in µs of wall time.
    public private(set) var exempt: [String: (count: Int, usecMax: Int64)] = [:]

    /// Turns by their wall time: the n-th holds those below 2^(n/4) µs.
    private var histogram = [Int](repeating: 0, count: 128)
    private var turn: Reading?
    /// The name under which what is done now is exempt; nil where it is not.
    public private(set) var exemption: String?
    /// Of the current turn, what does not count.
    private var excusedBusyUSec: Int64 = 0
    private var excusedLateUSec: Int64 = 0

    private struct Reading {
        let busyUSec: Int64
        let wallUSec: Int64

        static var now: Reading {
            Reading(busyUSec: TurnMeter.usec(CLOCK_THREAD_CPUTIME_ID), wallUSec: TurnMeter.usec(CLOCK_MONOTONIC))
        }
    }

    public init() {}

    /// So much wall time 99 of 100 turns stay below, in µs; within a fifth of it.
    public var lateUSecP99: Int64 {
        var rest = histogram.reduce(0, +) / 100
        for (place, count) in histogram.enumerated().reversed() {
            guard count <= rest else { return min(lateUSecMax, Self.bound(of: place)) }
            rest -= count
        }
        return 0
    }

    /// Does what may take long by design: it counts by its name and not as a part of the turn. What is exempt inside of
    /// it counts by the outer name alone, so that nothing is excused twice.
    public func exempting<Value>(_ name: String, _ body: () throws -> Value) rethrows -> Value {
        guard exemption == nil else { return try body() }
        exemption = name
        let start = Reading.now
        defer {
            exemption = nil
            let end = Reading.now
            excusedBusyUSec += end.busyUSec - start.busyUSec
            note(name, end.wallUSec - start.wallUSec)
        }
        return try body()
    }

    /// The processor time of the current turn so far, in µs: who has many small things to do goes on in the next turn
    /// when it is `turnUSecMany`. Outside of `run` it is 0.
    public var turnUSec: Int64 {
        turn.map { Self.usec(CLOCK_THREAD_CPUTIME_ID) - $0.busyUSec - excusedBusyUSec } ?? 0
    }
    public static let turnUSecMany: Int64 = 10_000

    /// Waits for a disk: the wait counts by its name and not as lateness; processor time counts as ever.
    public func waiting<Value>(_ name: String, _ body: () throws -> Value) rethrows -> Value {
        let start = Self.usec(CLOCK_MONOTONIC)
        defer { note(name, Self.usec(CLOCK_MONOTONIC) - start) }
        return try body()
    }

    private func note(_ name: String, _ wallUSec: Int64) {
        if exemption == nil { excusedLateUSec += wallUSec }
        let known = exempt[name] ?? (0, 0)
        exempt[name] = (known.count + 1, max(known.usecMax, wallUSec))
    }

    // MARK: - For the loop

    func begin() {
        turn = .now
        excusedBusyUSec = 0
        excusedLateUSec = 0
    }

    func end() {
        guard let start = turn else { return }
        turn = nil
        let end = Reading.now
        turns += 1
        busyUSecMax = max(busyUSecMax, end.busyUSec - start.busyUSec - excusedBusyUSec)
        let late = max(0, end.wallUSec - start.wallUSec - excusedLateUSec)
        lateUSecMax = max(lateUSecMax, late)
        histogram[Self.place(of: late)] += 1
    }

    // MARK: - The histogram

    /// Four places for each power of two.
    private static func place(of usec: Int64) -> Int {
        guard usec > 0 else { return 0 }
        let power = 63 - usec.leadingZeroBitCount
        // The two bits below the first tell which quarter of the power it is in.
        let quarter = power < 2 ? 0 : Int(usec >> (power - 2)) & 3
        return min(127, power * 4 + quarter)
    }

    private static func bound(of place: Int) -> Int64 {
        let (power, quarter) = (place / 4, place % 4)
        guard power < 62 else { return .max }
        return (Int64(1) << power) + (Int64(1) << power) / 4 * Int64(quarter + 1)
    }

    private static func usec(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}
