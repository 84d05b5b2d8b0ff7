public import Schedules
public import Scheduling
import Store

/// What the core asks of the queues. Where the store cannot be read there is nothing, and the next commit fails with
/// the reason.
extension SQLiteStore {
    public func queueItems(_ queue: String, notTakenAt now: Instant, limit: Int, bytesMax: Int) -> [QueueItem] {
        lookUp([]) { () throws(StoreError) in
            let operation = "read the queue \(queue)"
            let statement = try opened(operation).queueItems
            statement.bind(queue)
            statement.bind(now)
            statement.bind(limit)
            defer { statement.reset() }
            var items: [QueueItem] = []
            var bytes = 0
            while bytes < bytesMax, try statement.step(operation) {
                items.append(QueueItemRow.read(statement))
                bytes += items[items.count - 1].json.utf8.count
            }
            return items
        }
    }

    public func queueItem(id: Int64) -> QueueItem? {
        lookUp(nil) { () throws(StoreError) in
            let statement = try opened("read an item of a queue").queueItem
            statement.bind(id)
            defer { statement.reset() }
            return try statement.step("read an item of a queue") ? QueueItemRow.read(statement) : nil
        }
    }

    public func nextQueueReturn(_ queue: String, after now: Instant) -> Instant? {
        lookUp(nil) { () throws(StoreError) in
            let operation = "find when an item of the queue \(queue) comes again"
            let statement = try opened(operation).nextQueueReturn
            statement.bind(queue)
            statement.bind(now)
            defer { statement.reset() }
            return try statement.step(operation) ? statement.instantIfAny() : nil
        }
    }

    public func queues() -> [QueueTotals] {
        lookUp([]) { () throws(StoreError) in
            let statement = try opened("list the queues").queues
            defer { statement.reset() }
            var totals: [QueueTotals] = []
            while try statement.step("list the queues") {
                let queue = statement.text()
                let items = statement.int()
                totals.append(QueueTotals(queue: queue, items: items, bytes: statement.int()))
            }
            return totals
        }
    }

    public func lastQueueItemID() -> Int64 {
        lookUp(0) { () throws(StoreError) in
            let operation = "find the last item of a queue"
            let statement = try opened(operation).lastQueueItem
            defer { statement.reset() }
            guard try statement.step(operation) else { return 0 }
            let id = statement.integer()
            // Clamped it would be given out twice.
            guard (0...Self.queueItemIDMax).contains(id) else {
                throw statement.damage("the last item of a queue has the number \(id)")
            }
            return id
        }
    }

    /// Beyond it no item is pushed: its number was never reached by counting.
    private static let queueItemIDMax: Int64 = 1 << 62

    func returnQueueItems(except kept: Set<Int64>, _ statements: Statements) throws(StoreError) {
        let operation = "return the items of queues"
        guard !kept.isEmpty else { return try statements.returnQueueItems.run(operation) }
        for id in try takenQueueItems(statements, operation) where !kept.contains(id) {
            statements.returnQueueItem.bind(id)
            try statements.returnQueueItem.run(operation)
        }
    }

    private func takenQueueItems(_ statements: Statements, _ operation: String) throws(StoreError) -> [Int64] {
        defer { statements.takenQueueItems.reset() }
        var taken: [Int64] = []
        while try statements.takenQueueItems.step(operation) { taken.append(statements.takenQueueItems.integer()) }
        return taken
    }
}
