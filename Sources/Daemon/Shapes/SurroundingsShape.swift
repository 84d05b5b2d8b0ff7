import Configuration
import Desktop
import JSON
import SQLiteStore
import Store

/// What the daemon sees around it, for `HealthCheck` and `botcronctl doctor`: each with whether it serves its purpose,
/// and one sentence. What is absent is no fault: a daemon without a desktop is healthy.
extension Daemon {
    func surroundingsShape() -> [JSONValue] {
        var shapes: [JSONValue] = []
        func add(_ name: String, _ serves: Bool, _ text: String) {
            shapes.append(["name": .string(name), "serves": .bool(serves), "text": .string(text)])
        }
        add("configuration", configurationFault == nil, configurationFault ?? configurationPath)
        add("store", storeFault == nil, storeFault.map { "\($0)" } ?? folder.path)
        switch (login.isWatching, login.holdsSleepLock) {
        case (true, true): add("logind", true, "tells of sleep and shutdown, and waits for us before them")
        case (true, false): add("logind", login.isAsleep, "tells of sleep and shutdown; no lock on sleep is held")
        case (false, _): add("logind", false, "is away: a sleep of the machine is found out only afterwards")
        }
        add(
            "user manager", userManager.isPresent,
            userManager.isPresent
                ? "gives each attempt a scope" : "is away: attempts have no scopes, and limits hold for processes alone"
        )
        prepareWakeTimer()
        add(
            "wake-up alarms", wakeFault == nil,
            wakeFault.map { "the machine cannot be woken for jobs: \($0)" } ?? "wake the machine for jobs that want it")
        let hasServer = notificationServer.isThere ?? false
        add(
            "notification server", hasServer,
            hasServer ? "shows notifications" : "is away: nothing is shown on a desktop")
        return shapes
    }
}
