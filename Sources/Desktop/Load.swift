public import EventLoop

/// The load average of one minute, watched as long as this object lives.
///
/// The kernel tells nobody when it changes, so it is read by a timer: as often as it is computed, and only while this
/// object lives.
public final class Load {
    /// Nil where there is no such file.
    public private(set) var average: Double?

    private let path: String
    private let changed: () -> Void
    private let loop: EventLoop
    private var timer: TimerSource?

    /// LOAD_FREQ of the kernel.
    private static let intervalUSec: UInt64 = 5_000_000

    /// - Parameter changed: called after each change.
    public init(_ loop: EventLoop, path: String = "/proc/loadavg", changed: @escaping () -> Void) {
        self.loop = loop
        self.path = path
        self.changed = changed
        read()
        guard average != nil else { return }
        // The timer is this object's own, and goes with it.
        timer = try? loop.timer(.monotonic, accuracyUSec: 500_000) { [unowned self] in
            let before = average
            read()
            arm()
            // Whoever is told may drop us.
            if average != before { changed() }
        }
        arm()
    }

    private func arm() { timer?.arm(atUSec: loop.now(.monotonic) + Self.intervalUSec) }

    private func read() {
        average = readText(path)?.split(separator: " ").first.flatMap { Double($0) }
    }
}
