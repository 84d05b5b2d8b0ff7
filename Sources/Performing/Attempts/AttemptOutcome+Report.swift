internal import Configuration
internal import Execution
internal import Processes
internal import Schedules
internal import Scheduling

extension AttemptOutcome {
    /// What the core is told of a report: bounded pieces of its output, and what the patterns find in them.
    init(_ report: AttemptReport, classifier: FailureClassifier) {
        let ending: Ending =
            switch report.ending {
            case .exited(let code): .exited(code)
            case .signaled(let signal, _): .signaled(signal)
            case .couldNotStart(let reason), .shortOfResources(let reason): .couldNotStart(reason)
            case .lost(let reason): .lost(reason)
            }
        self.init(
            ending: ending, startedAt: Instant(microseconds: report.startedUSec),
            endedAt: Instant(microseconds: report.endedUSec))
        isTimedOut = report.isTimedOut
        isStalled = report.isStalled
        isCancelled = report.isCancelled
        let remarks = Remarks(report.remarks)
        progress = remarks.progress
        cost = remarks.cost ?? ReportedCost.find(in: report.output) ?? 0
        retryAfter = remarks.retryAfter
        result = remarks.result
        cpuTime = report.cpuUSec.map { .microseconds($0) }
        memoryPeakBytes = report.memoryPeakBytes
        let preview = report.output.preview(characters: Run.outputPreviewLimit)
        outputPreview = preview.isEmpty ? nil : preview
        outputDigest = report.outputDigest
        outputBytes = Int64(report.output.totalCount)
        outputDropped = Int64(report.output.droppedCount)
        lastLine = report.output.lastLine
        failureType = classifier.type(in: report.output.bytes)
        if report.isOutOfMemory, ending != .exited(0) {
            failureType = "oom"
            lastLine = "out of memory: the kernel ended what was beyond memory_max"
        }
    }
}
