import Configuration
import EventLoop
import Performing
import Schedules
import Scheduling
import Store

/// The line that `systemctl --user status` shows of the service.
struct StatusLine {
    private var told = ""

    /// Tells the service manager where it has changed.
    mutating func update(_ scheduler: any SchedulerReading, _ zone: TimeZoneRules, fault: ConfigurationError?) {
        let next = scheduler.nextRun.map { next in
            "next at \(next.at.rfc3339(in: scheduler.definition(of: next.job)?.zone ?? zone))"
        }
        let paused = scheduler.isEnabled ? "" : ", paused"
        var text = "\(scheduler.jobCount) jobs, \(scheduler.activeRunCount) active\(paused), \(next ?? "nothing due")"
        if let fault { text += "; config.json is not in force: \(fault.description)" }
        if let fault = scheduler.health.storeFault { text += "; the store cannot be written: \(fault.message)" }
        guard text != told else { return }
        told = text
        ServiceManager.status(text)
    }
}
