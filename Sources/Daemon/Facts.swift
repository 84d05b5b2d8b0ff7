import Configuration
import Control
import Desktop
import Machine
import Performing
import Settings

/// What the daemon sees around it, for `HealthCheck` and `botcronctl doctor`: each with whether it serves its purpose,
/// and one sentence. What is absent is no fault: a daemon without a desktop is healthy.
final class Facts: MachineReading {
    private let machine: Machine
    private let session: SessionManager
    private let notifications: ServicePresence
    private let settings: Settings
    private let messages: Messages

    init(
        machine: Machine, session: SessionManager, notifications: ServicePresence, settings: Settings,
        messages: Messages
    ) {
        self.machine = machine
        self.session = session
        self.notifications = notifications
        self.settings = settings
        self.messages = messages
    }

    var machineFacts: [MachineFact] {
        [logind, userManager, wakeAlarm, notificationServer, messageTargets]
    }

    private var logind: MachineFact {
        switch (machine.isWatchingSleep, machine.holdsSleepLock) {
        case (true, true):
            MachineFact(
                name: "logind", isServing: true, text: "tells of sleep and shutdown, and waits for us before them")
        case (true, false):
            MachineFact(
                name: "logind", isServing: machine.isAsleep,
                text: "tells of sleep and shutdown; no lock on sleep is held")
        case (false, _):
            MachineFact(
                name: "logind", isServing: false, text: "is away: a sleep of the machine is found out only afterwards")
        }
    }

    private var userManager: MachineFact {
        MachineFact(
            name: "user manager", isServing: session.isPresent,
            text: session.isPresent
                ? "gives each attempt a scope" : "is away: attempts have no scopes, and limits hold for processes alone"
        )
    }

    private var wakeAlarm: MachineFact {
        let fault = machine.wakeFault
        return MachineFact(
            name: "wake-up alarms", isServing: fault == nil,
            text: fault.map { "the machine cannot be woken for jobs: \($0)" }
                ?? "wake the machine for jobs that want it")
    }

    /// Messages go where the configuration says, but for targets that it does not describe, or that are off.
    private var messageTargets: MachineFact {
        let faults =
            messages.troubles
            + settings.configuration.messageFaults.map { fault in (fault.job.map { $0 + ": " } ?? "") + fault.error }
        guard let first = faults.first else {
            return MachineFact(name: "message targets", isServing: true, text: "each that a job names can be told")
        }
        let others = faults.count > 1 ? "; \(faults.count - 1) more, by botcronctl validate" : ""
        return MachineFact(name: "message targets", isServing: false, text: first + others)
    }

    private var notificationServer: MachineFact {
        let isThere = notifications.isThere ?? false
        return MachineFact(
            name: "notification server", isServing: isThere,
            text: isThere ? "shows notifications" : "is away: nothing is shown on a desktop")
    }
}
