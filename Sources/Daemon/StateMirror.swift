import Configuration
import EventLoop
import JSON
import Store
import Schedules
import Scheduling

/// `cron_state.json`, a mirror of the state for readers such as `jq`: written by rename at most once a second, and
/// never read back.
extension Daemon {
    private static var mirrorIntervalUSec: UInt64 { 1_000_000 }
    /// Runs in the mirror.
    private static var mirroredRuns: Int { 20 }

    /// Beside config.json.
    var mirrorPath: String { configurationPath.folderOfPath + "/cron_state.json" }

    /// Something changed: the mirror follows, as soon as a second has passed since it was last written.
    func mirrorSoon() {
        mirrorTimer?.arm(atUSec: max(loop.now(.monotonic), mirroredAtUSec + Self.mirrorIntervalUSec))
    }

    /// - Throws: `ErrorReply` where the store cannot be read, `ConfigurationError` where the file cannot be written.
    func writeMirror() throws {
        mirroredAtUSec = loop.now(.monotonic)
        let text = try stateShape().prettyText(indent: 2) + "\n"
        // It can be made anew at any time, so nobody waits for the disk.
        try FileReplacement.replace(mirrorPath, with: Array(text.utf8), isDurable: false)
    }

    func writeMirrorOrSay() {
        do {
            try writeMirror()
            isMirrorBroken = false
        } catch {
            // Said once, not every second.
            if !isMirrorBroken {
                log.warning("the mirror of the state cannot be written", [("BOTCRON_ERROR", "\(error)")])
            }
            isMirrorBroken = true
        }
    }

    /// STATE, as the older clients read it.
    func stateShape() throws -> JSONValue {
        let runs = try endedRuns(Self.mirroredRuns)
        let known = Set(configuration.jobs.map(\.name))
        let names = configuration.jobs.map(\.name) + scheduler.jobNames.filter { !known.contains($0) }
        return [
            "enabled": .bool(scheduler.isEnabled),
            "timezone": .string(configuration.timezone.name),
            "execution_mode": .string(configuration.executionMode),
            "jobs": .array(names.compactMap { scheduler.job(named: $0) }.map { .object(stateShape(of: $0)) }),
            "history": .array(runs.map { json(of: $0) }),
            "total_history": .number(try store.statistics().recorded),
            "updated_at": .instant(now, configuration.timezone),
        ]
    }

    private func stateShape(of view: Scheduler.JobView) -> JSONObject {
        var shape = JobShape.json(view, of: scheduler)
        // These three words are all that older clients know.
        if view.active.contains(where: { scheduler.activeRun(id: $0)?.status == .running }) {
            shape["last_status"] = "running"
        } else if view.state.lastStatus?.isFailure ?? false {
            shape["last_status"] = "failed"
        }
        return shape
    }
}

extension String {
    /// The folder of a path; of a bare name it is `.`.
    var folderOfPath: String {
        guard let slash = lastIndex(of: "/") else { return "." }
        return slash == startIndex ? "/" : String(self[..<slash])
    }
}
