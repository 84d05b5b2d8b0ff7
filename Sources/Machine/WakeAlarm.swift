import EventLoop
import Schedules

/// An alarm of the hardware clock. That it wakes the machine is all: what is due then has a timer as ever.
final class WakeAlarm {
    private enum State {
        /// Nobody has wanted it yet.
        case unknown
        case ready(TimerSource)
        /// Why there can be none; and whether that has been said, where somebody wanted it.
        case impossible(String, isTold: Bool)
    }

    private let loop: EventLoop
    private let log: Log
    private var state = State.unknown

    init(_ loop: EventLoop, _ log: Log) {
        self.loop = loop
        self.log = log
    }

    /// Why the machine cannot be woken; nil where it can.
    var fault: String? {
        prepare()
        if case .impossible(let reason, _) = state { return reason }
        return nil
    }

    func arm(_ instant: Instant?) {
        guard let instant else {
            if case .ready(let timer) = state { timer.disarm() }
            return
        }
        prepare()
        switch state {
        case .ready(let timer): timer.arm(atUSec: UInt64(max(0, instant.microseconds)))
        case .impossible(let reason, isTold: false):
            state = .impossible(reason, isTold: true)
            log.warning("the machine cannot be woken for jobs", [("BOTCRON_ERROR", reason)])
        case .impossible, .unknown: break
        }
    }

    private func prepare() {
        guard case .unknown = state else { return }
        do {
            state = .ready(try loop.timer(.realtimeAlarm) {})
        } catch {
            state = .impossible("\(error)", isTold: false)
        }
    }
}
