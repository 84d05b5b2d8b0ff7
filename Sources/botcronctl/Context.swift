import Configuration
import DBus
import EventLoop
import Glibc
import Schedules

/// What a verb works with: where to print, what time it is and in which zone, and the daemon.
struct Context {
    let options: GlobalOptions
    let screen: Screen
    let zones = ZoneDatabase()
    /// The zone that people are shown times in.
    let zone: TimeZoneRules

    init(options: GlobalOptions, screen: Screen) {
        self.options = options
        self.screen = screen
        // A machine whose zone cannot be read still has a clock.
        zone = options.isUTC ? .utc : (try? zones.zone(named: "local")) ?? .utc
    }

    var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Instant(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    var times: TimeText { TimeText(zone: zone, now: now) }

    func daemon() throws(Failure) -> DaemonClient { try DaemonClient(busAddress: options.busAddress) }
}
