import Schedules
import Scheduling

/// What was decided in one turn of the loop and is not performed yet: one transaction, and what it makes visible.
///
/// The order within a kind is the order of the events; the order of kinds is that of `Effect`.
struct Outbox {
    /// What it was decided about, to be decided again where the transaction cannot be.
    var events: [Event] = []
    var changes: [StoreChange] = []
    var stops: [String] = []
    var launches: [Launch] = []
    var answers: [(run: String, attempt: Int, question: Int, line: AnswerLine)] = []
    var checks: [(run: String, command: Job.Action, job: Job)] = []
    var polls: [(subject: PollSubject, command: Job.Action, job: Job)] = []
    var wishes: [MachineWish] = []
    var arming = Arming.unchanged
    var announcements: [Announcement] = []
    /// In their order: a question that is asked after another one was answered is not withdrawn with that.
    var sendings: [Sending] = []
    var replies: [(ticket: Ticket, reply: Reply)] = []
    /// Those who wait for no more than that everything so far is durable.
    var reads: [() -> Void] = []
    /// The name under which some of it was decided exempt (`TurnMeter`), and so is performed: what a file that has
    /// changed, or a start, says of a hundred thousand jobs is as many rows.
    var exemption: String?

    enum Sending {
        case send(Message)
        case withdraw(run: String)
    }

    enum Arming {
        case unchanged
        /// The instant to wait for; nil: none.
        case at(Instant?)
    }

    var isEmpty: Bool {
        guard case .unchanged = arming else { return false }
        return changes.isEmpty && stops.isEmpty && launches.isEmpty && answers.isEmpty && checks.isEmpty
            && polls.isEmpty
            && wishes.isEmpty && announcements.isEmpty && sendings.isEmpty && replies.isEmpty && reads.isEmpty
    }

    mutating func add(_ event: Event, _ effects: [Effect]) {
        events.append(event)
        for effect in effects {
            switch effect {
            case .commit(let changes): self.changes += changes
            case .stop(let run, _): stops.append(run)
            case .start(let launch): launches.append(launch)
            case .answer(let run, let attempt, let question, let line): answers.append((run, attempt, question, line))
            case .check(let run, let command, let job): checks.append((run, command, job))
            case .poll(let subject, let command, let job): polls.append((subject, command, job))
            case .machine(let wish): wishes.append(wish)
            case .arm(let instant): arming = .at(instant)
            case .announce(let announcement): announcements.append(announcement)
            case .send(let message): sendings.append(.send(message))
            case .withdraw(let run): sendings.append(.withdraw(run: run))
            case .reply(let ticket, let reply): replies.append((ticket, reply))
            }
        }
    }

    func event(of ticket: Ticket) -> Event? { events.first { $0.ticket == ticket } }

    /// Runs whose processes are to end whatever becomes of the transaction: a client wants it, or the daemon or the
    /// machine ends. Their supervisors keep how they ended.
    var urgentStops: [String] {
        var isEndOfAll = false
        var cancelled: [String] = []
        for event in events {
            switch event {
            case .stopping, .sleep: isEndOfAll = true
            case .cancelRequested(let run, _): cancelled.append(run)
            default: break
            }
        }
        return isEndOfAll ? stops : stops.filter(cancelled.contains)
    }

    /// Whether the machine or the daemon is about to go, and nobody can wait for the store.
    var isLast: Bool {
        events.contains { event in
            switch event {
            case .stopping, .sleep: true
            default: false
            }
        }
    }
}
