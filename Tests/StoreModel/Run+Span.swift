public import Schedules
public import Scheduling

extension Run {
    /// The fire times that this run stands for beside its own, where one of its job is among them.
    public func span(ofJob job: String, over fireTime: Instant) -> Range<Instant>? {
        guard self.job == job, status.isExecuted, let since = coveredSince, let last = scheduledFor,
            since <= fireTime, fireTime < last
        else { return nil }
        return since..<last
    }

    /// As a register answers `successDurations`.
    public func successDuration(ofJob job: String) -> Duration? {
        guard self.job == job, status == .success, let startedAt, let endedAt else { return nil }
        return max(.zero, endedAt - startedAt)
    }
}
