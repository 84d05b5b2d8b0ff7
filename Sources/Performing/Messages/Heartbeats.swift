internal import Configuration
internal import EventLoop
internal import JSON
internal import Schedules
internal import Scheduling

/// Heartbeats on their way: those of jobs, of each the newest, and the daemon's own.
///
/// Of a job one is under way at a time, so that what is told last is what was last.
final class Heartbeats {
    private struct Waiting {
        var message: Message
        var request: JSONValue
        var then: (MessageOutcome) -> Void
    }

    private let loop: EventLoop
    private let log: Log
    private let settings: any MessageSettings
    private let programs: SendPrograms
    /// Jobs of which one is under way, and the one that follows it.
    private var active: [String: Waiting?] = [:]
    /// The daemon's own, as it is configured.
    private var own: Heartbeat?
    private var timer: TimerSource?
    private var isCalling = false
    private var isFaultSaid = false

    init(loop: EventLoop, log: Log, settings: any MessageSettings, programs: SendPrograms) {
        self.loop = loop
        self.log = log
        self.settings = settings
        self.programs = programs
    }

    // MARK: - Of jobs

    func beat(_ message: Message, url: String, output: String, then: @escaping (MessageOutcome) -> Void) {
        let next = Waiting(message: message, request: Self.request(message.occasion, url, output: output), then: then)
        guard let waiting = active[message.job] else {
            active[message.job] = .some(nil)
            return send(next)
        }
        waiting?.then(.refused("a later one of its job has taken its place"))
        active[message.job] = .some(next)
    }

    private func send(_ beat: Waiting) {
        // The programs are those of this object's owner, and call nobody once they are gone.
        programs.send(beat.request) { [unowned self] outcome in
            switch outcome {
            case .sent: beat.then(.sent)
            case .failed(let why), .gone(let why): beat.then(.failed(why))
            }
            guard let next = active.removeValue(forKey: beat.message.job), let next else { return }
            active[beat.message.job] = .some(nil)
            send(next)
        }
    }

    static func request(_ occasion: Message.Occasion, _ url: String, output: String) -> JSONValue {
        switch occasion {
        case .start: ["post": ["url": .string(address(url, "/start"))]]
        case .failure:
            [
                "post": [
                    "url": .string(address(url, "/fail")), "body": .string(output), "type": "text/plain; charset=utf-8",
                ]
            ]
        default: ["post": ["url": .string(url)]]
        }
    }

    /// Behind the path, before what asks.
    private static func address(_ url: String, _ suffix: String) -> String {
        let path = url.prefix { $0 != "?" && $0 != "#" }
        let rest = url[path.endIndex...]
        return (path.hasSuffix("/") ? path.dropLast() : path) + suffix + rest
    }

    // MARK: - The daemon's own

    /// The settings may be others.
    func review() {
        guard settings.heartbeat != own else { return }
        own = settings.heartbeat
        if own == nil { timer?.disarm() } else { call() }
    }

    private func call() {
        guard let own else { return }
        if timer == nil {
            // The timer goes with its owner, this object. By the clock that goes on in a sleep: then it is due at once.
            timer = try? loop.timer(.boottime, accuracyUSec: 1_000_000) { [unowned self] in call() }
        }
        timer?.arm(atUSec: loop.now(.boottime) + UInt64(own.every.wholeMicroseconds))
        guard !isCalling else { return }
        isCalling = true
        // As in `send`.
        programs.send(["post": ["url": .string(own.url)]]) { [unowned self] outcome in
            isCalling = false
            switch outcome {
            case .sent:
                if isFaultSaid { log.info("the heartbeat is heard again") }
                isFaultSaid = false
            case .failed(let why), .gone(let why):
                if !isFaultSaid { log.warning("the heartbeat is not heard", [("BOTCRON_ERROR", why)]) }
                isFaultSaid = true
            }
        }
    }
}
