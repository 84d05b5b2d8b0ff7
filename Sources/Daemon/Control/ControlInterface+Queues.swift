import DBus
import JSON
import Store
import Scheduling

/// Handlers: the queues.
extension ControlInterface {
    private static var queue: Argument {
        Argument("queue", "s", documentation: "The name of a queue, as one of a job.")
    }

    var queueMethods: [Method] {
        [
            Method(
                "queue_push",
                in: [Self.queue, Argument("item", "s", documentation: "JSON, at most 65536 bytes.")],
                out: [Argument("answer", "s", documentation: "JSON {queue, id}.")],
                documentation: "Puts an item at the end of a queue, which is made by its first.", pushItem),
            Method(
                "queue_pop", in: [Self.queue],
                out: [Argument("item", "s", documentation: "JSON {id, item}.")],
                documentation:
                    "Takes the oldest item that nobody has; QueueEmpty where there is none. Unless it is acknowledged, it "
                    + "comes again after 300 seconds, and after a restart of the daemon.", popItem),
            Method(
                "queue_ack",
                in: [Self.queue, Argument("id", "s", documentation: "As queue_pop gave it.")],
                out: [Argument("answer", "s", documentation: "JSON {queue, id}.")],
                documentation: "Says that an item is dealt with: it is removed.", acknowledgeItem),
            Method(
                "queue_peek",
                in: [
                    Self.queue, Argument("count", "i", documentation: "At most so many; 0 or less: 20; at most 1000."),
                ],
                out: [Argument("items", "s", documentation: "JSON: an array of {id, item}, oldest first.")],
                documentation: "The items that nobody has taken, and leaves them there.", peekItems),
            Method(
                "queue_list",
                out: [Argument("queues", "s", documentation: "JSON: an array of {queue, items, bytes}, by name.")],
                documentation: "The queues that have items, those that are taken included.", listQueues),
        ]
    }

    private func pushItem(_ call: MethodCall) throws {
        try writable()
        let item = try daemon.pushItem(text(call, 1), to: text(call, 0))
        acknowledge(call) { answer(call, ["queue": .string(item.queue), "id": .string(String(item.id))]) }
    }

    private func popItem(_ call: MethodCall) throws {
        try writable()
        let item = try daemon.popItem(from: text(call, 0))
        acknowledge(call) { answer(call, Self.json(item)) }
    }

    private func acknowledgeItem(_ call: MethodCall) throws {
        try writable()
        let (queue, id) = (text(call, 0), text(call, 1))
        try daemon.acknowledgeItem(id, of: queue)
        acknowledge(call) { answer(call, ["queue": .string(queue), "id": .string(id)]) }
    }

    private func peekItems(_ call: MethodCall) throws {
        let asked = Int(call.arguments[1].asInt32 ?? 0)
        let limit = asked <= 0 ? Self.historyLimitDefault : min(asked, Queues.Limits.peeked)
        answer(call, .array(try daemon.peekItems(of: text(call, 0), limit: limit).map { Self.json($0) }))
    }

    private func listQueues(_ call: MethodCall) throws {
        answer(
            call,
            .array(
                try daemon.queueTotals().map {
                    ["queue": .string($0.queue), "items": .number($0.items), "bytes": .number($0.bytes)]
                }))
    }

    private static func json(_ item: QueueItem) -> JSONValue {
        ["id": .string(String(item.id)), "item": JobShape.parsed(item.json)]
    }

    private func writable() throws(ErrorReply) {
        if let fault = daemon.storeFault { throw .storeFailed(fault) }
        guard daemon.scheduler.status != .stopping else { throw .busy }
    }
}
