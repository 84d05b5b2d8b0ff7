import Schedules
import Scheduling

/// Which announcements of runs a commit makes due, in words that the store keeps with it.
///
/// A run is announced right after the commit that decided it. A daemon that is killed in between has promised the
/// signal (what a signal says is on record, and each run has exactly one end) and cannot send it any more: the next one
/// finds these words and sends it. The run itself is as the commit left it, so an id is enough.
struct UntoldRuns {
    /// In the order in which they are told.
    var items: [Item] = []

    struct Item: Equatable {
        var kind: Kind
        var run: String
    }

    enum Kind: Equatable {
        case started, completed, failed, missed
        case retrying(attempt: Int, delayUSec: Int64)
        case paused(failures: Int)
    }

    init(_ announcements: [Announcement]) {
        items = announcements.compactMap { announcement in
            switch announcement {
            case .jobStarted(let run): Item(kind: .started, run: run.id)
            case .jobCompleted(let run): Item(kind: .completed, run: run.id)
            case .jobFailed(let run): Item(kind: .failed, run: run.id)
            case .jobMissed(let run): Item(kind: .missed, run: run.id)
            case .jobRetrying(let run, let attempt, let delay):
                Item(kind: .retrying(attempt: attempt, delayUSec: delay.wholeMicroseconds), run: run.id)
            case .jobPaused(let run, let failures): Item(kind: .paused(failures: failures), run: run.id)
            // They tell of no run; a new daemon tells how things stand when it is asked.
            case .schedulerToggled, .jobsChanged, .statusChanged, .queueChanged, .questionAsked: nil
            }
        }
    }

    /// With what the next commit makes due.
    func adding(_ announcements: [Announcement]) -> UntoldRuns {
        var both = self
        both.items += UntoldRuns(announcements).items
        return both
    }

    // MARK: - As text: one a line, words apart by spaces; an execution id has neither

    init(text: String) {
        items = text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ").map(String.init)
            guard words.count >= 2 else { return nil }
            switch words[0] {
            case "started": return Item(kind: .started, run: words[1])
            case "completed": return Item(kind: .completed, run: words[1])
            case "failed": return Item(kind: .failed, run: words[1])
            case "missed": return Item(kind: .missed, run: words[1])
            case "retrying":
                guard words.count == 4, let attempt = Int(words[2]), let delay = Int64(words[3]) else { return nil }
                return Item(kind: .retrying(attempt: attempt, delayUSec: delay), run: words[1])
            case "paused":
                guard words.count == 3, let failures = Int(words[2]) else { return nil }
                return Item(kind: .paused(failures: failures), run: words[1])
            default: return nil
            }
        }
    }

    /// Nil where there is nothing to tell.
    var text: String? {
        guard !items.isEmpty else { return nil }
        return items.map { item in
            switch item.kind {
            case .started: "started \(item.run)"
            case .completed: "completed \(item.run)"
            case .failed: "failed \(item.run)"
            case .missed: "missed \(item.run)"
            case .retrying(let attempt, let delayUSec): "retrying \(item.run) \(attempt) \(delayUSec)"
            case .paused(let failures): "paused \(item.run) \(failures)"
            }
        }.joined(separator: "\n")
    }
}

extension UntoldRuns.Item {
    /// - Parameter run: as it is on record.
    func announcement(_ run: Run) -> Announcement {
        switch kind {
        case .started: .jobStarted(run)
        case .completed: .jobCompleted(run)
        case .failed: .jobFailed(run)
        case .missed: .jobMissed(run)
        case .retrying(let attempt, let delayUSec):
            .jobRetrying(run, nextAttempt: attempt, delay: .microseconds(delayUSec))
        case .paused(let failures): .jobPaused(run, failures: failures)
        }
    }
}
