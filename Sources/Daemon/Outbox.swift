import Store
import Scheduling

/// The effects of all events of one turn of the loop, gathered so that they are one transaction.
///
/// The order within a kind is the order of the events; the order of kinds is that of `Effect`.
struct Outbox {
    var changes: [StoreChange] = []
    var stops: [(run: String, grace: Duration)] = []
    var launches: [Launch] = []
    /// What is asked of the surroundings and wanted of the machine.
    var wishes: [Effect] = []
    /// Set where the instant to wait for has changed.
    var arm: Effect?
    var announcements: [Announcement] = []
    var replies: [(Ticket, Reply)] = []
    /// Those who wait for no more than that everything so far is durable; with an error where it cannot be.
    var acknowledgements: [(StoreError?) -> Void] = []

    var isEmpty: Bool {
        changes.isEmpty && stops.isEmpty && launches.isEmpty && wishes.isEmpty && arm == nil && announcements.isEmpty
            && replies.isEmpty
            && acknowledgements.isEmpty
    }

    mutating func add(_ effects: [Effect]) {
        for effect in effects {
            switch effect {
            case .commit(let changes): self.changes += changes
            case .stop(let run, let grace): stops.append((run, grace))
            case .start(let launch): launches.append(launch)
            case .check, .watch, .holdAwake, .armWakeUp, .sleepAgain: wishes.append(effect)
            case .arm: arm = effect
            case .announce(let announcement): announcements.append(announcement)
            case .reply(let ticket, let reply): replies.append((ticket, reply))
            }
        }
    }
}
