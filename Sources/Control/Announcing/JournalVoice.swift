internal import EventLoop
internal import Scheduling

/// Announcements as lines of the journal.
struct JournalVoice {
    let log: Log

    func tell(_ announcement: Announcement) {
        switch announcement {
        case .jobCompleted(let run):
            log.info("run completed", fields(run))
        case .jobFailed(let run):
            log.warning("run failed", fields(run) + [("BOTCRON_ERROR", run.error ?? run.status.rawValue)])
        case .jobRetrying(let run, _, let delay):
            log.warning(
                "attempt failed, another follows", fields(run) + [("BOTCRON_DELAY_SECONDS", "\(delay.inSeconds)")])
        case .jobMissed(let run):
            log.info(
                "fire time not run",
                fields(run) + [
                    ("BOTCRON_REASON", run.reason?.rawValue ?? ""), ("BOTCRON_COUNT", "\(run.coveredCount)"),
                ])
        case .jobPaused(let run, let failures):
            log.error("job paused: its runs fail", fields(run) + [("BOTCRON_COUNT", "\(failures)")])
        case .schedulerToggled(let isEnabled):
            log.info(isEnabled ? "schedules resumed" : "schedules paused")
        case .questionAsked(let run, let question):
            log.info("the run asks a person", fields(run) + [("BOTCRON_QUESTION", question.text)])
        case .jobStarted, .jobsChanged, .statusChanged, .queueChanged:
            break
        }
    }

    /// A change to a job, or to all schedules, that is on record.
    func tell(_ change: JobChange) {
        var fields = [("BOTCRON_CHANGE", change.what.rawValue), ("BOTCRON_BY", change.author.text)]
        if !change.job.isEmpty { fields.append(("BOTCRON_JOB", change.job)) }
        if let reason = change.reason { fields.append(("BOTCRON_REASON", reason)) }
        log.info(change.job.isEmpty ? "all schedules changed" : "job changed", fields)
    }

    private func fields(_ run: Run) -> [(String, String)] {
        [("BOTCRON_JOB", run.job), ("BOTCRON_EXECUTION_ID", run.id), ("BOTCRON_TRIGGER", run.trigger.rawValue)]
    }
}
