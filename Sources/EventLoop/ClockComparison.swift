/// Compares the machine's clocks with one another, and finds what nobody tells: that the machine slept, that the wall
/// clock was set, that the process stood still. A value, fed with readings.
///
/// | what happened | what shows it |
/// |---|---|
/// | the kernel slept | boot time gained on monotonic time |
/// | the wall clock was set, or the virtual machine around us was paused | wall time gained on, or lost to, boot time |
/// | the process was stopped, or the whole machine frozen | what was due came late, and no clock jumped |
public struct ClockComparison: Sendable {
    /// All clocks at one instant, in µs.
    public struct Reading: Equatable, Sendable {
        public var wallUSec: Int64
        public var bootUSec: Int64
        public var monotonicUSec: Int64

        public init(wallUSec: Int64, bootUSec: Int64, monotonicUSec: Int64) {
            self.wallUSec = wallUSec
            self.bootUSec = bootUSec
            self.monotonicUSec = monotonicUSec
        }
    }

    /// What has happened to the clocks.
    public struct Finding: Equatable, Sendable {
        /// By how much the wall clock was set; 0 where it was not.
        public var stepUSec: Int64 = 0
        /// For how long nothing of ours ran; 0 where that is not so.
        public var lostUSec: Int64 = 0
        /// What shows it.
        public var evidence = ""

        init() {}
    }

    /// Between the readings of the clocks a busy machine may do something else: less than this is no gap.
    public static let gapUSec: Int64 = 1_000_000
    /// A timer that comes later than this did not just wait for a busy machine, and a wall clock set forward by more
    /// was not just put right: it is taken for a pause of the whole machine.
    public static let pauseUSec: Int64 = 10_000_000

    private var last: Reading
    /// The wall clock's time at which something was to happen; nil where nothing is waited for.
    private var dueUSec: Int64?

    public init(_ reading: Reading) { last = reading }

    /// Something is waited for from now on; what is past is due now.
    public mutating func arm(dueUSec: Int64?, nowUSec: Int64) {
        self.dueUSec = dueUSec.map { max($0, nowUSec) }
    }

    /// - Parameter isSet: the kernel says that the wall clock was set, so that even a small step is one.
    public mutating func compare(_ now: Reading, isSet: Bool = false) -> Finding? {
        let slept = (now.bootUSec - now.monotonicUSec) - (last.bootUSec - last.monotonicUSec)
        let stepped = (now.wallUSec - now.bootUSec) - (last.wallUSec - last.bootUSec)
        var finding = Finding()
        if slept >= Self.gapUSec {
            finding.lostUSec = slept
            finding.evidence = "boot time is ahead of monotonic time"
        }
        // After a sleep the kernel says "set" of a clock that only went on: what is left is the time between readings.
        if abs(stepped) >= (isSet && slept < Self.gapUSec ? 1000 : Self.gapUSec) {
            finding.stepUSec = stepped
            if finding.lostUSec == 0, stepped >= Self.pauseUSec {
                finding.lostUSec = stepped
                finding.evidence = "the wall clock jumped ahead"
            }
        }
        if finding == Finding(), let dueUSec, now.wallUSec - dueUSec >= Self.pauseUSec {
            finding.lostUSec = now.wallUSec - dueUSec
            finding.evidence = "a timer came late"
        }
        guard finding != Finding() else { return nil }
        last = now
        // What was waited for counts as come now, so that one delay is not found twice.
        dueUSec = dueUSec.map { max($0, now.wallUSec) }
        return finding
    }
}

extension ClockComparison.Reading {
    public init(_ loop: EventLoop) {
        self.init(
            wallUSec: Int64(loop.now(.realtime)), bootUSec: Int64(loop.now(.boottime)),
            monotonicUSec: Int64(loop.now(.monotonic)))
    }
}
