import Client
import Configuration
import EventLoop
import Glibc
import Schedules

/// What a verb works with: where to print, what time it is and in which zone, and the daemon.
struct Context {
    let options: GlobalOptions
    let screen: Screen
    let zones = ZoneDatabase()
    private let localZone: LocalZone

    /// The zone that people are shown times in.
    var zone: TimeZoneRules { options.isUTC ? .utc : localZone.rules }

    init(options: GlobalOptions, screen: Screen) {
        self.options = options
        self.screen = screen
        localZone = LocalZone(zones, screen)
    }

    var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Instant(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    var times: TimeText { TimeText(zone: zone, now: now) }

    func daemon() throws(Failure) -> Daemon {
        let loop: EventLoop
        do {
            loop = try EventLoop()
        } catch {
            throw .broken("\(error)")
        }
        do {
            return Daemon(client: try Client(to: options.busAddress, loop: loop))
        } catch {
            throw Failure(error)
        }
    }
}

/// The zone of this machine, read when it is first asked for: a verb that shows no time says nothing of it.
private final class LocalZone {
    private let zones: ZoneDatabase
    private let screen: Screen
    private var known: TimeZoneRules?

    init(_ zones: ZoneDatabase, _ screen: Screen) {
        self.zones = zones
        self.screen = screen
    }

    /// UTC, with a word on stderr, where it cannot be read: such a machine still has a clock.
    var rules: TimeZoneRules {
        if let known { return known }
        var rules = TimeZoneRules.utc
        do {
            rules = try zones.zone(named: "local")
        } catch {
            let variable = variable("TZ")
            // The error is of the file or of the variable; which one it is, people are to know.
            let place = variable.map { "TZ=\"\($0)\": " }
            screen.warn("\(place ?? "")\(error.sentence); times are in UTC")
        }
        known = rules
        return rules
    }
}
