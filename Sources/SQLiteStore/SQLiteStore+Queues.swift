public import Schedules
public import Scheduling
public import Store

/// What the core asks of the queues. Where the store cannot be read there is nothing, and the next commit fails with the
/// reason.
extension SQLiteStore {
    public func queueItems(_ queue: String, notTakenAt now: Instant, limit: Int) -> [QueueItem] {
        lookUp([]) { () throws(StoreError) in
            let operation = "read the queue \(queue)"
            let statement = try opened(operation).queueItems
            statement.bind(queue)
            statement.bind(now)
            statement.bind(limit)
            defer { statement.reset() }
            var items: [QueueItem] = []
            while try statement.step(operation) { items.append(QueueItemRow.read(statement)) }
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
            let statement = try opened("find the last item of a queue").lastQueueItem
            defer { statement.reset() }
            return try statement.step("find the last item of a queue") ? statement.integer() : 0
        }
    }

    public func returnQueueItems() throws(StoreError) {
        let statements = try opened("return the items of queues")
        try setDurability(.eventual, statements.connection)
        try statements.returnQueueItems.run("return the items of queues")
    }
}
