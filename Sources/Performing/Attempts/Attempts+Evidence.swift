internal import EventLoop
internal import Execution
public import Scheduling

/// What became of the attempts that a new core finds on record.
extension Attempts {
    public func evidence(of runs: [Run]) throws(EvidenceError) -> [String: AttemptEvidence] {
        var evidence: [String: AttemptEvidence] = [:]
        var unknown: [Run] = []
        for run in runs {
            switch live[run.id]?.life {
            case .over(let outcome)?: evidence[run.id] = .ended(outcome)
            case .some: evidence[run.id] = .held
            case nil: unknown.append(run)
            }
        }
        do throws(ExecutionError) {
            for found in try runner.survey(unknown.map { ($0.id, max(1, $0.attempt)) }) {
                guard let run = unknown.first(where: { $0.id == found.run }) else { continue }
                evidence[run.id] = take(found, run)
            }
            // Of those whose supervisors are gone some may have been killed on their way into a scope.
            if !unknown.isEmpty { emptyScopes.lookSoon() }
        } catch {
            throw EvidenceError("\(error)")
        }
        hearingTimer?.arm(atUSec: loop.now(.monotonic))
        return evidence
    }

    private func take(_ found: SurveyedAttempt, _ run: Run) -> AttemptEvidence {
        switch found.finding {
        case .held:
            adopt(found, run)
            return .held
        case .ended(let report): return .ended(AttemptOutcome(report, classifier: settings.failureClassifier))
        case .begun: return .begun
        case .notBegun: return .notBegun
        case .gone: return .gone
        }
    }

    private func adopt(_ found: SurveyedAttempt, _ run: Run) {
        let attempt = LiveAttempt(adopting: run, onStop: intake.definition(of: run.job)?.onStop ?? .leave)
        live[run.id] = attempt
        // The attempt goes with this object.
        let handle = runner.adopt(found) { [unowned self] report in ended(attempt, report) }
        attempt.life = .begun(handle)
        follow(handle, run.job)
    }
}
