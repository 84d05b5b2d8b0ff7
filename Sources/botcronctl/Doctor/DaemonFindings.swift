import Contract
import JSON

/// What the daemon says of itself, as findings.
struct DaemonFindings {
    let health: JSONValue
    let status: JSONValue

    /// Whether a notification server shows what is to be shown.
    var showsNotifications: Bool { surroundings.contains { $0.text("name") == "notification server" && serves($0) } }

    private var surroundings: [JSONValue] { health["surroundings"]?.arrayValue ?? [] }

    private func serves(_ fact: JSONValue) -> Bool { fact["serves"]?.boolValue ?? false }

    /// - Parameter wakers: names of jobs that want the machine woken.
    func all(wakers: [String], faults: [Finding]) -> [Finding] {
        version + surroundings.map { finding($0, wakers: wakers) } + checks + faults
    }

    private var version: [Finding] {
        let version = status.text("version")
        guard !version.isEmpty else { return [] }
        guard version == botcronVersion else {
            return [
                Finding(
                    "daemon", .warning, "botcrond \(version) runs, and this is botcronctl \(botcronVersion)",
                    fix: "systemctl --user restart \(Patient.unit)")
            ]
        }
        return [Finding("daemon", .good, "botcrond \(version) runs: \(status.text("status"))")]
    }

    private func finding(_ fact: JSONValue, wakers: [String]) -> Finding {
        let (name, text) = (fact.text("name"), fact.text("text"))
        guard !serves(fact) else { return Finding(name, .good, text) }
        switch name {
        case "configuration": return Finding(name, .bad, text, fix: "botcronctl validate")
        case "store":
            return Finding(name, .bad, text, fix: "mend what it says; the daemon goes on by itself then")
        case "wake-up alarms" where !wakers.isEmpty:
            let jobs = wakers.prefix(Self.shownJobs).joined(separator: ", ")
            return Finding(
                name, .warning, "\(text); wanted by \(jobs)",
                fix: "give the unit AmbientCapabilities=CAP_WAKE_ALARM (systemd 254 and later)")
        // What is absent is no fault: a daemon without a desktop is healthy.
        default: return Finding(name, .note, text)
        }
    }

    private static let shownJobs = 3

    private var checks: [Finding] {
        let failing = health["checks"]?.objectValue?.filter { $0.value.boolValue == false }.map(\.key) ?? []
        return failing.map { Finding("check", .bad, "\($0) does not hold", fix: Self.fixes[$0]) }
    }

    private static let fixes = [
        "config_valid": "botcronctl validate", "acceptable_failure_rate": "botcronctl history --failed",
        "store_writable": "see the store above", "jobs_scheduled": "botcronctl list",
    ]
}
