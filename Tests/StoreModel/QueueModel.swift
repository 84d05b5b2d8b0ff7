public import Schedules
public import Scheduling

/// The queues of a store in memory, as the real one keeps them.
public struct QueueModel {
    public private(set) var items: [Int64: QueueItem] = [:]
    public private(set) var lastItemID: Int64 = 0

    public init() {}

    public var totals: [QueueTotals] {
        Dictionary(grouping: items.values, by: \.queue).map { name, items in
            QueueTotals(queue: name, items: items.count, bytes: items.reduce(0) { $0 + $1.json.utf8.count })
        }
    }

    /// Those that nobody has taken, in order.
    public func free(in queue: String, at now: Instant, limit: Int) -> [QueueItem] {
        let free = items.values.filter { $0.queue == queue && ($0.takenUntil.map { $0 <= now } ?? true) }
        return Array(free.sorted { $0.id < $1.id }.prefix(limit))
    }

    /// When the first of those that somebody has comes again.
    public func nextReturn(to queue: String, after now: Instant) -> Instant? {
        items.values.filter { $0.queue == queue }.compactMap(\.takenUntil).filter { $0 > now }.min()
    }

    /// Takes a change over that is one of a queue.
    ///
    /// - Returns: what the real store would have refused.
    public mutating func apply(_ change: StoreChange) -> String? {
        switch change {
        case .queueItem(let item):
            items[item.id] = item
            lastItemID = max(lastItemID, item.id)
        case .removeQueueItem(let id):
            if items.removeValue(forKey: id) == nil { return "item \(id) is removed, and was not there" }
        case .queueItemsReturned(let kept):
            for id in items.keys where !kept.contains(id) { items[id]?.takenUntil = nil }
        default: break
        }
        return nil
    }
}
