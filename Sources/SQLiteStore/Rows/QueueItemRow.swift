import Scheduling

/// The table `queue_item`.
enum QueueItemRow {
    static let columns = ["id", "queue", "pushed_at_us", "taken_until_us", "deliveries", "json"]

    static func bind(_ item: QueueItem, to statement: Statement) {
        statement.bind(item.id)
        statement.bind(item.queue)
        statement.bind(item.pushedAt)
        statement.bind(item.takenUntil)
        statement.bind(item.deliveries)
        statement.bind(item.json)
    }

    static func read(_ statement: Statement) -> QueueItem {
        let id = statement.integer()
        let queue = statement.text()
        let pushedAt = statement.instant()
        let takenUntil = statement.instantIfAny()
        let deliveries = statement.count()
        var item = QueueItem(id: id, queue: queue, json: statement.text(), pushedAt: pushedAt)
        item.takenUntil = takenUntil
        item.deliveries = deliveries
        return item
    }
}
