public import Schedules
public import Scheduling

extension SQLiteStore {
    public func queueItems(
        _ queue: String, notTakenAt now: Instant, limit: Int
    ) throws(StoreError) -> [QueueItem] {
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

    public func queueItem(id: Int64) throws(StoreError) -> QueueItem? {
        let statement = try opened("read an item of a queue").queueItem
        statement.bind(id)
        defer { statement.reset() }
        return try statement.step("read an item of a queue") ? QueueItemRow.read(statement) : nil
    }

    public func queues() throws(StoreError) -> [QueueTotals] {
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

    public func lastQueueItemID() throws(StoreError) -> Int64 {
        let statement = try opened("find the last item of a queue").lastQueueItem
        defer { statement.reset() }
        return try statement.step("find the last item of a queue") ? statement.integer() : 0
    }

    public func returnQueueItems() throws(StoreError) {
        let statements = try opened("return the items of queues")
        try setDurability(.eventual, statements.connection)
        try statements.returnQueueItems.run("return the items of queues")
    }
}
