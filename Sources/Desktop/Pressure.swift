public import EventLoop
internal import Glibc

/// The share of the last ten seconds in which something waited for a processor, as `/proc/pressure/cpu` has it: watched
/// as long as this object lives.
///
/// The kernel tells when the pressure of a window exceeds a bound (a trigger, poll for POLLPRI), so while it is low
/// nothing wakes us, and while it is high each window that still is wakes us once. A kernel without triggers, or one
/// that keeps them for root (before 6.5), has it read by a timer, which only runs while this object lives.
public final class Pressure {
    /// In per cent; nil where the kernel does not measure it.
    public private(set) var percent: Double?

    private let loop: EventLoop
    private let path: String
    private let changed: () -> Void
    /// One for each bound.
    private var triggers: [(file: Int32, source: IOSource)] = []
    private var timer: TimerSource?
    private let boundMin: Double

    /// What a user may ask for is a multiple of it.
    private static let windowUSec: UInt64 = 2_000_000

    /// - Parameters:
    ///   - bounds: in per cent; how the pressure stands to these matters.
    ///   - changed: called after each change.
    public init(
        _ loop: EventLoop, bounds: [Double], path: String = "/proc/pressure/cpu", changed: @escaping () -> Void
    ) {
        self.loop = loop
        self.path = path
        self.changed = changed
        boundMin = bounds.min() ?? 0
        read()
        guard percent != nil else { return }
        // The timer is this object's own, and goes with it.
        timer = try? loop.timer(.monotonic, accuracyUSec: 100_000) { [unowned self] in look() }
        for bound in bounds { watch(bound) }
        arm()
    }

    deinit { dropTriggers() }

    private func dropTriggers() {
        for trigger in triggers {
            trigger.source.cancel()
            close(trigger.file)
        }
        triggers = []
    }

    private func watch(_ bound: Double) {
        // The kernel knows no trigger for nothing at all, nor for all of the time.
        let stallUSec = min(max(UInt64(bound / 100 * Double(Self.windowUSec)), 1), Self.windowUSec)
        let file = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return }
        let text = Array("some \(stallUSec) \(Self.windowUSec)".utf8CString)
        guard Glibc.write(file, text, text.count) == text.count,
            // `deinit` cancels it.
            let source = try? loop.watch(fd: file, .priority, { [unowned self] in exceeded($0) })
        else {
            close(file)
            return
        }
        triggers.append((file, source))
    }

    private func exceeded(_ events: IOEvents) {
        // The kernel has let go of it: from here on the timer looks.
        if events.contains(.error) { dropTriggers() }
        look()
    }

    private func look() {
        let before = percent
        read()
        arm()
        // Whoever is told may drop us.
        if percent != before { changed() }
    }

    /// While it is high, its end is looked for; while it is low, only where no trigger tells of it.
    private func arm() {
        let isLow = percent.map { $0 <= boundMin } ?? true
        if isLow, !triggers.isEmpty {
            timer?.disarm()
        } else {
            timer?.arm(atUSec: loop.now(.monotonic) + Self.windowUSec)
        }
    }

    /// The first line: `some avg10=1.23 avg60=…`.
    private func read() {
        let words = readText(path)?.split(separator: "\n").first?.split(separator: " ") ?? []
        percent = words.first { $0.hasPrefix("avg10=") }.flatMap { Double($0.dropFirst(6)) }
    }
}
