public import Schedules

/// The queues that clients fill and empty: first in, first out, and an item that was taken is acknowledged or comes
/// again.
///
/// The items are in the store. Here are what each queue holds in all, and the items that the events since the last
/// commit have changed: these are laid over what the register says, so that several requests of one turn do not get the
/// same item.
extension Scheduler {
    /// Whoever takes an item has so long to acknowledge it; then it comes again.
    public static var queueVisibility: Duration { .seconds(300) }

    struct QueueLedger {
        var totals: [String: QueueTotals]
        /// The greatest id that was ever given out.
        var lastID: Int64
        /// Items that were pushed or taken since the last commit, by id.
        var changed: [Int64: QueueItem] = [:]
        /// Items that were acknowledged since then.
        var removed: Set<Int64> = []

        init(_ register: any ExecutionRegister) {
            totals = Dictionary(register.queues().map { ($0.queue, $0) }, uniquingKeysWith: { first, _ in first })
            lastID = register.lastQueueItemID()
        }

        var bytes: Int { totals.values.reduce(0) { $0 + $1.bytes } }

        mutating func didCommit() {
            changed.removeAll()
            removed.removeAll()
        }

        mutating func count(_ queue: String, items: Int, bytes: Int) {
            totals[queue, default: QueueTotals(queue: queue)].items += items
            totals[queue, default: QueueTotals(queue: queue)].bytes += bytes
            if totals[queue].map({ $0.items <= 0 }) ?? false { totals[queue] = nil }
        }
    }

    private func ledger() -> QueueLedger {
        if let queueLedger { return queueLedger }
        let loaded = QueueLedger(register)
        queueLedger = loaded
        return loaded
    }

    // MARK: - Requests

    /// - Parameter json: valid, and the name of the queue is: whoever hears the request has looked.
    func pushItem(_ json: String, to queue: String, ticket: Ticket, now: Instant) {
        if let why = hindrance(toPush: json.utf8.count, to: queue) {
            return reply(ticket, .refused(.limitExceeded("cannot push to the queue \"\(queue)\": \(why)")))
        }
        reply(ticket, .item(appendItem(json, to: queue, now: now)))
    }

    /// Puts an item at the end of a queue that has room for it.
    @discardableResult
    func appendItem(_ json: String, to queue: String, now: Instant) -> QueueItem {
        let item = QueueItem(id: ledger().lastID + 1, queue: queue, json: json, pushedAt: now)
        queueLedger?.lastID = item.id
        queueLedger?.count(queue, items: 1, bytes: json.utf8.count)
        change(item)
        return item
    }

    /// Why an item of so many bytes cannot be put into a queue; nil where it can.
    func hindrance(toPush size: Int, to queue: String) -> String? {
        let known = ledger()
        let items = known.totals[queue]?.items ?? 0
        guard size <= Limits.queueItemBytes else {
            return "the item has \(size) bytes; at most \(Limits.queueItemBytes)"
        }
        guard items < Limits.itemsPerQueue else {
            return "\(items) items are in it; at most \(Limits.itemsPerQueue)"
        }
        guard items > 0 || known.totals.count < Limits.queues else {
            return "\(known.totals.count) queues are there; at most \(Limits.queues)"
        }
        guard known.bytes + size <= Limits.queueBytes else {
            return "all queues together have \(known.bytes) bytes; at most \(Limits.queueBytes)"
        }
        return known.lastID < .max ? nil : "all ids of items are used up"
    }

    /// Takes the oldest item that nobody has.
    func popItem(from queue: String, ticket: Ticket, now: Instant) {
        guard let item = takeItem(from: queue, until: now + Self.queueVisibility, now: now) else {
            return reply(ticket, .refused(.queueEmpty(queue)))
        }
        reply(ticket, .item(item))
    }

    /// Takes the oldest item that nobody has; those that were delivered too often go to the dead letters on the way.
    func takeItem(from queue: String, until: Instant, now: Instant) -> QueueItem? {
        for _ in 0..<Limits.buriedPerTurn {
            guard var item = freeItem(of: queue, now: now) else { return nil }
            if item.deliveries >= Self.deliveriesMax, !isDead(queue) {
                bury(item)
                continue
            }
            item.takenUntil = until
            item.deliveries += 1
            change(item)
            return item
        }
        return nil
    }

    func isDead(_ queue: String) -> Bool { queue.hasSuffix(Self.deadSuffix) }

    /// Moves an item to the dead letters of its queue, whatever the bounds say: nothing is lost, and nothing is new.
    func bury(_ item: QueueItem) {
        let name = item.queue.prefix(Self.queueNameMax - Self.deadSuffix.count) + Self.deadSuffix
        var dead = QueueItem(id: item.id, queue: String(name), json: item.json, pushedAt: item.pushedAt)
        dead.deliveries = item.deliveries
        queueLedger?.count(item.queue, items: -1, bytes: -item.json.utf8.count)
        queueLedger?.count(dead.queue, items: 1, bytes: item.json.utf8.count)
        queueChanged(item.queue)
        change(dead)
    }

    /// The item as it is now.
    func item(_ id: Int64) -> QueueItem? {
        let known = ledger()
        return known.removed.contains(id) ? nil : known.changed[id] ?? register.queueItem(id: id)
    }

    func change(_ item: QueueItem) {
        queueLedger?.changed[item.id] = item
        turn.changes.append(.queueItem(item))
        queueChanged(item.queue)
    }

    /// It is dealt with.
    func removeItem(_ item: QueueItem) {
        queueLedger?.changed[item.id] = nil
        queueLedger?.removed.insert(item.id)
        queueLedger?.count(item.queue, items: -1, bytes: -item.json.utf8.count)
        turn.changes.append(.removeQueueItem(id: item.id))
        queueChanged(item.queue)
    }

    /// When the first of the items that somebody has comes again; nil where nobody has any for a time.
    func nextReturn(to queue: String, after now: Instant) -> Instant? {
        let known = ledger()
        let changed = known.changed.values.lazy.filter { $0.queue == queue }.compactMap(\.takenUntil)
        let stored = register.nextQueueReturn(queue, after: now)
        // What was taken for good, by a run, comes again by its end.
        return ([stored].compactMap(\.self) + changed).filter { $0 > now && $0 < .horizon }.min()
    }

    private func freeItem(of queue: String, now: Instant) -> QueueItem? {
        let known = ledger()
        let stored = register.queueItems(
            queue, notTakenAt: now, limit: 1 + known.changed.count + known.removed.count, bytesMax: .max)
        let oldest = stored.first { known.changed[$0.id] == nil && !known.removed.contains($0.id) }
        let changed = known.changed.values
            .filter { $0.queue == queue && ($0.takenUntil.map { $0 <= now } ?? true) }
            .min { $0.id < $1.id }
        return [oldest, changed].compactMap { $0 }.min { $0.id < $1.id }
    }

    func acknowledgeItem(_ id: String, of queue: String, ticket: Ticket) {
        guard let item = Int64(id).flatMap({ item($0) }), item.queue == queue else {
            return reply(ticket, .refused(.noSuchItem(id: id, queue: queue)))
        }
        removeItem(item)
        reply(ticket, .done)
    }

    // MARK: - Queries

    /// What each queue holds, by name: those that have items, the taken ones included.
    public var queues: [QueueTotals] { ledger().totals.values.sorted { $0.queue < $1.queue } }

    /// Items that nobody has, oldest first; of those that were changed since the last commit none.
    /// The last one of them may pass `bytesMax`, none follows it.
    public func queueItems(_ queue: String, limit: Int, bytesMax: Int = .max, now: Instant) -> [QueueItem] {
        let known = ledger()
        let spare = known.changed.count + known.removed.count
        let items = register.queueItems(queue, notTakenAt: now, limit: max(0, limit) + spare, bytesMax: bytesMax)
        return Array(
            items.filter { known.changed[$0.id] == nil && !known.removed.contains($0.id) }.prefix(max(0, limit)))
    }
}
