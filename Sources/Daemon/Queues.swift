import Configuration
import DBus
import EventLoop
import JSON
import Store
import Schedules
import Scheduling

/// The queues that clients fill and empty: what of them is kept in memory, and their bounds.
struct Queues {
    /// Beyond each a push is refused with `LimitsExceeded`.
    enum Limits {
        static let itemsPerQueue = 10_000
        /// Of one item's JSON.
        static let itemBytes = 64 << 10
        static let queues = 100
        /// Of all items together.
        static let bytes = 256 << 20
        /// Items in one answer of `queue_peek`; a larger count is cut to it.
        static let peeked = 1_000
    }

    /// Whoever takes an item has so long to acknowledge it; then it comes again.
    static let visibility = Duration.seconds(300)

    var totals: [String: QueueTotals]
    var lastID: Int64
    /// Items that were taken or acknowledged in this turn, which the store does not know yet.
    var undurable: Set<Int64> = []
    /// Those that were acknowledged.
    var removed: Set<Int64> = []

    init(_ store: any Store) {
        totals = Dictionary(store.queues().map { ($0.queue, $0) }, uniquingKeysWith: { first, _ in first })
        lastID = store.lastQueueItemID()
    }

    var bytes: Int { totals.values.reduce(0) { $0 + $1.bytes } }

    mutating func didCommit() {
        undurable = []
        removed = []
    }

    mutating func count(_ queue: String, items: Int, bytes: Int) {
        totals[queue, default: QueueTotals(queue: queue)].items += items
        totals[queue, default: QueueTotals(queue: queue)].bytes += bytes
        if totals[queue]?.items == 0 { totals[queue] = nil }
    }
}

extension Daemon {
    /// Loaded when somebody asks for the first time.
    private func loadQueues() throws(ErrorReply) -> Queues {
        if let queues { return queues }
        let loaded = Queues(store)
        queues = loaded
        return loaded
    }

    func pushItem(_ json: String, to queue: String) throws(ErrorReply) -> QueueItem {
        guard JobName.isValid(queue) else {
            throw .invalidArgument(
                "queue", found: "\"\(queue.prefix(64))\"", expected: "a name of 1 to 128 letters, digits, _ - . :")
        }
        do {
            _ = try JSONValue(parsing: json)
        } catch {
            throw .invalidArgument(
                "item", found: "text that is not JSON (\(error.description))", expected: "one JSON value")
        }
        var queues = try loadQueues()
        let size = json.utf8.count
        let items = queues.totals[queue]?.items ?? 0
        func refuse(_ found: String, _ bound: String) -> ErrorReply {
            ErrorReply(.limitsExceeded, "cannot push to the queue \"\(queue)\": \(found); at most \(bound)")
        }
        guard size <= Queues.Limits.itemBytes else {
            throw refuse("the item has \(size) bytes", "\(Queues.Limits.itemBytes)")
        }
        guard items < Queues.Limits.itemsPerQueue else {
            throw refuse("\(items) items are in it", "\(Queues.Limits.itemsPerQueue)")
        }
        guard items > 0 || queues.totals.count < Queues.Limits.queues else {
            throw refuse("\(queues.totals.count) queues are there", "\(Queues.Limits.queues)")
        }
        guard queues.bytes + size <= Queues.Limits.bytes else {
            throw refuse("all queues together have \(queues.bytes) bytes", "\(Queues.Limits.bytes)")
        }
        queues.lastID += 1
        queues.count(queue, items: 1, bytes: size)
        self.queues = queues
        let item = QueueItem(id: queues.lastID, queue: queue, json: json, pushedAt: now)
        outbox.changes.append(.queueItem(item))
        return item
    }

    /// Takes the oldest item that nobody has.
    func popItem(from queue: String) throws(ErrorReply) -> QueueItem {
        guard var item = try peekItems(of: queue, limit: 1).first else {
            throw ErrorReply(
                "com.aiworkflow.BotCron.Error.QueueEmpty",
                "the queue \"\(queue.prefix(64))\" has no item that nobody has taken; queue_list names those with items"
            )
        }
        item.takenUntil = now + Queues.visibility
        item.deliveries += 1
        queues?.undurable.insert(item.id)
        outbox.changes.append(.queueItem(item))
        return item
    }

    func acknowledgeItem(_ id: String, of queue: String) throws(ErrorReply) {
        let queues = try loadQueues()
        var item: QueueItem?
        if let number = Int64(id) { item = store.queueItem(id: number) }
        guard let item, item.queue == queue, !queues.removed.contains(item.id) else {
            throw .invalidArgument(
                "id", found: "\"\(id.prefix(64))\"",
                expected: "the id of an item of the queue \"\(queue.prefix(64))\" that is not acknowledged yet")
        }
        var changed = queues
        changed.undurable.insert(item.id)
        changed.removed.insert(item.id)
        changed.count(queue, items: -1, bytes: -item.json.utf8.count)
        self.queues = changed
        outbox.changes.append(.removeQueueItem(id: item.id))
    }

    /// Items that nobody has, oldest first.
    func peekItems(of queue: String, limit: Int) throws(ErrorReply) -> [QueueItem] {
        let queues = try loadQueues()
        let items = store.queueItems(queue, notTakenAt: now, limit: limit + queues.undurable.count)
        return Array(items.filter { !queues.undurable.contains($0.id) }.prefix(limit))
    }

    func queueTotals() throws(ErrorReply) -> [QueueTotals] {
        try loadQueues().totals.values.sorted { $0.queue < $1.queue }
    }
}
