import Configuration
import Control
import EventLoop
import Performing
import Scheduling
import Settings

/// The daemon as its clients may ask of it: how long it runs, and that it ends.
final class Service: ServiceControl {
    let statePath: String
    private let settings: Settings
    private let ending: Stop
    private let messages: Messages
    private let presence: BusPresence
    private let loop: EventLoop
    private let startedAtUSec: UInt64

    init(
        settings: Settings, ending: Stop, messages: Messages, presence: BusPresence, loop: EventLoop, statePath: String
    ) {
        self.settings = settings
        self.ending = ending
        self.messages = messages
        self.presence = presence
        self.loop = loop
        self.statePath = statePath
        startedAtUSec = loop.now(.boottime)
    }

    func stop(because reason: String) {
        ending.begin(because: reason, patience: settings.configuration.stopTimeout)
    }

    func probe(_ target: String, then: @escaping (MessageOutcome) -> Void) { messages.probe(target, then: then) }

    var uptime: Double { Double(loop.now(.boottime) - startedAtUSec) / 1e6 }
    var isOnBus: Bool { presence.isReachable }
}
