internal import Configuration
internal import DBus
internal import JSON
internal import Performing
internal import Scheduling

/// Handlers: the queues.
extension JSONFace {
    private static var queue: Argument {
        Argument("queue", "s", documentation: "The name of a queue, as one of a job.")
    }

    var queueMethods: [Method] {
        [
            Method(
                "queue_push", .request,
                in: [Self.queue, Argument("item", "s", documentation: "JSON, at most 65536 bytes.")],
                out: [Argument("answer", "s", documentation: "JSON {queue, id}.")],
                documentation: "Puts an item at the end of a queue, which is made by its first.", pushItem),
            Method(
                "queue_pop", .request, in: [Self.queue],
                out: [Argument("item", "s", documentation: "JSON {id, item}.")],
                documentation:
                    "Takes the oldest item that nobody has; QueueEmpty where there is none. Unless it is acknowledged, it "
                    + "comes again after 300 seconds, and after a restart of the daemon.", popItem),
            Method(
                "queue_ack", .request,
                in: [Self.queue, Argument("id", "s", documentation: "As queue_pop gave it.")],
                out: [Argument("answer", "s", documentation: "JSON {queue, id}.")],
                documentation: "Says that an item is dealt with: it is removed.", acknowledgeItem),
            Method(
                "queue_peek",
                in: [
                    Self.queue,
                    Argument("count", "i", documentation: "At most so many; 0 or less: 20; at most 1000, and 1 MiB."),
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
        let (queue, json) = (call.text(0), call.text(1))
        guard JobName.isValid(queue) else {
            throw ErrorReply.invalidArgument(
                "queue", found: "\"\(queue.prefix(64))\"", expected: "a name of 1 to 128 letters, digits, _ - . :")
        }
        _ = try call.json(1, "item")
        requests.ask(
            call, for: { .queuePushed(queue: queue, json: json, ticket: $0) },
            answer: { reply throws(ErrorReply) in
                guard case .item(let item) = reply else { throw .unexpected(reply) }
                call.answer(["queue": .string(item.queue), "id": .string(String(item.id))])
            })
    }

    private func popItem(_ call: MethodCall) throws {
        let queue = call.text(0)
        requests.ask(
            call, for: { .queuePopped(queue: queue, ticket: $0) },
            answer: { reply throws(ErrorReply) in
                guard case .item(let item) = reply else { throw .unexpected(reply) }
                call.reply([.string(Self.text(item))])
            })
    }

    private func acknowledgeItem(_ call: MethodCall) throws {
        let (queue, id) = (call.text(0), call.text(1))
        requests.ask(
            call, for: { .queueAcknowledged(queue: queue, id: id, ticket: $0) },
            answer: { _ in
                call.answer(["queue": .string(queue), "id": .string(id)])
            })
    }

    private func peekItems(_ call: MethodCall) throws {
        let asked = Int(call.arguments[1].asInt32 ?? 0)
        let limit = asked <= 0 ? Bounds.pageRunsUsual : min(asked, Bounds.peekedItems)
        let items = scheduler.queueItems(call.text(0), limit: limit, bytesMax: Bounds.peekedBytes)
            .map { Self.text($0) }
        call.reply([.string("[" + items.joined(separator: ", ") + "]")])
    }

    private func listQueues(_ call: MethodCall) throws {
        call.answer(
            .array(
                scheduler.queues.map {
                    ["queue": .string($0.queue), "items": .number($0.items), "bytes": .number($0.bytes)]
                }))
    }

    /// An item is JSON as its client wrote it, and is not taken apart: it may be of many small values.
    private static func text(_ item: QueueItem) -> String { "{\"id\": \"\(item.id)\", \"item\": \(item.json)}" }
}
