import Schedules
import Scheduling

/// Short texts for traces.
extension Event {
    var word: String {
        switch self {
        case .started(let situation):
            "started, \(situation.origin), \(situation.evidence.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.word)" })"
        case .runRequested(let request, _):
            "run \(request.job) for \(request.scheduledFor?.rfc3339(in: .utc) ?? "-")\(request.isForced ? " forced" : "")"
        case .runOnce(let job, _, _): "run \(job.name) once"
        case .attemptEnded(let run, let attempt, let outcome): "\(run) attempt \(attempt): \(outcome.ending)"
        case .configurationChanged(let jobs, _, _, let isEnabled):
            "reload, enabled \(isEnabled): \(jobs.map { $0.definition + ($0.isEnabled ? "" : " off") })"
        case .jobUpserted(let job, _, _): "upsert of \(job.name)"
        default: "\(self)"
        }
    }
}

extension AttemptEvidence {
    var word: String {
        switch self {
        case .held: "held"
        case .ended(let outcome): "ended \(outcome.ending)"
        case .begun: "begun"
        case .notBegun: "not begun"
        case .gone: "gone"
        }
    }
}

extension Effect {
    /// The order in which kinds of effects are performed.
    var rank: Int {
        switch self {
        case .commit: 0
        case .stop: 1
        case .start: 2
        case .answer: 3
        case .check, .poll, .machine: 4
        case .arm: 5
        case .announce: 6
        case .send, .withdraw: 7
        case .reply: 8
        }
    }
}

extension StoreChange {
    var word: String {
        switch self {
        case .run(let run):
            "\(run.id) \(run.trigger) \(run.status) \(run.reason?.rawValue ?? "") ×\(run.coveredCount)"
                + (run.coveredSince.map { " since \($0.rfc3339(in: .utc))" } ?? "")
        case .jobState(let state):
            "\(state.job) decided through \(state.decidedThrough.rfc3339(in: .utc)), \(state.executions) executions"
                + (state.reopenedThrough.map { ", reopened through \($0.rfc3339(in: .utc))" } ?? "")
                + (state.pausedUntil.map { ", paused until \($0.rfc3339(in: .utc))" } ?? "")
        case .message(let message):
            "\(message.id) \(message.job) \(message.occasion) to \(message.target) \(message.state)"
        case .attempt(let attempt): "attempt \(attempt.number) of \(attempt.run)"
        default: "\(self)"
        }
    }
}

extension Announcement {
    var word: String {
        switch self {
        case .jobStarted(let run): "JobStarted \(run.id)"
        case .jobCompleted(let run): "JobCompleted \(run.id)"
        case .jobFailed(let run): "JobFailed \(run.id) \(run.error ?? "")"
        case .jobRetrying(let run, let next, let delay): "JobRetrying \(run.id) \(next) in \(delay)"
        case .jobMissed(let run): "JobMissed \(run.id)"
        default: "\(self)"
        }
    }
}
