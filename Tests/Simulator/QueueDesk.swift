import Schedules
import Scheduling

/// Clients of queues, and what must hold of the items they push and take: none is lost, none is in two hands at once,
/// none is acknowledged twice.
final class QueueDesk {
    private enum Request {
        case push(String)
        case pop(String)
        case acknowledge(Int64)
    }

    private var requests: [Ticket: Request] = [:]
    private var pushed: Set<Int64> = []
    /// Acknowledged, as far as a reply has said so.
    private var acknowledged: Set<Int64> = []
    /// Asked to be acknowledged: they may be gone, also where no reply came.
    private var given: Set<Int64> = []
    /// By item, until when somebody has it for himself.
    private var held: [Int64: Instant] = [:]

    func request(ticket: Ticket, _ random: inout SeededRandom) -> Event {
        let queue = "queue-\(random.below(3))"
        switch random.below(4) {
        case 0, 1:
            requests[ticket] = .push(queue)
            return .queuePushed(queue: queue, json: "\(ticket)", ticket: ticket)
        case 2:
            requests[ticket] = .pop(queue)
            return .queuePopped(queue: queue, ticket: ticket)
        default:
            let item = pushed.sorted().randomElement(using: &random) ?? 1
            requests[ticket] = .acknowledge(item)
            given.insert(item)
            return .queueAcknowledged(queue: queueOf[item] ?? queue, id: "\(item)", ticket: ticket)
        }
    }

    private var queueOf: [Int64: String] = [:]

    /// Nobody has an item any more: another daemon has started, or the clock was set back.
    func returnAll() { held = [:] }

    /// - Returns: what is wrong.
    func hear(_ reply: Reply, _ ticket: Ticket, now: Instant) -> String? {
        switch (requests.removeValue(forKey: ticket), reply) {
        case (.push(let queue), .item(let item)):
            guard pushed.insert(item.id).inserted, item.queue == queue else { return "item \(item.id) is pushed twice" }
            queueOf[item.id] = queue
        case (.pop(let queue), .item(let item)):
            if item.queue != queue { return "item \(item.id) comes from another queue" }
            if acknowledged.contains(item.id) { return "item \(item.id) was acknowledged, and is taken" }
            if let until = held[item.id], until > now { return "item \(item.id) is in two hands" }
            held[item.id] = now + Scheduler.queueVisibility
            queueOf[item.id] = queue
            pushed.insert(item.id)
        case (.acknowledge(let item), .done):
            guard acknowledged.insert(item).inserted else { return "item \(item) is acknowledged twice" }
        case (.pop, .refused(.queueEmpty)), (.acknowledge, .refused(.noSuchItem)), (_, .refused(.stopping)), (nil, _):
            break
        case (let request, let reply): return "\(String(describing: request)) is answered by \(reply)"
        }
        return nil
    }

    /// Every item that nobody has acknowledged is there.
    func finish(_ store: LossyStore) -> String? {
        for item in pushed.sorted() where !given.contains(item) && store.items[item] == nil {
            return "item \(item) is lost"
        }
        for item in acknowledged.sorted() where store.items[item] != nil {
            return "item \(item) was acknowledged, and is there"
        }
        return nil
    }
}
