internal import EventLoop

/// Holds back what flaps: the first time it tells at once, later when nothing has changed for a while.
final class Debounce {
    private let loop: EventLoop
    private let tell: () -> Void
    private var timer: TimerSource?
    private var hasTold = false

    /// Plugs, radios and drivers that wake up change their mind within this; and whoever waits is to start within a
    /// second.
    private static let quietUSec: UInt64 = 400_000

    init(_ loop: EventLoop, tell: @escaping () -> Void) {
        self.loop = loop
        self.tell = tell
    }

    func changed() {
        if timer == nil {
            // The timer is this object's own, and goes with it.
            timer = try? loop.timer(.monotonic, accuracyUSec: 10_000) { [unowned self] in tell() }
        }
        guard hasTold, let timer else {
            hasTold = true
            return tell()
        }
        timer.arm(atUSec: loop.now(.monotonic) + Self.quietUSec)
    }
}
