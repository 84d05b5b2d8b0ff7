import Client
import Contract
import JSON

/// `queue`: lists of items that wait for somebody to deal with them.
extension Verb {
    static let queue = Verb(
        "queue", "[list|peek|push|pop|ack …]", 0...3, "the items of queues: list, look, put, take, acknowledge",
        details: """
            botcronctl queue                      every queue that has items
            botcronctl queue peek QUEUE           its items that nobody has, oldest first
            botcronctl queue push QUEUE ITEM      puts an item at its end: JSON, or a text
            botcronctl queue pop QUEUE            takes the oldest, until it is acknowledged
            botcronctl queue ack QUEUE ID         it is dealt with
            """,
        options: [Option("-n", or: "--limit", value: "N", "with peek: at most N items (default: 20)")],
        takes: [.choice(["list", "peek", "push", "pop", "ack"])], run: workQueue)
}

private func workQueue(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    var words = request.arguments[...]
    let step = words.popFirst() ?? "list"
    /// The words behind the step, exactly so many.
    func arguments(_ names: String...) throws(Failure) -> [String] {
        guard words.count == names.count else {
            throw request.usage("queue \(step) takes \(names.isEmpty ? "nothing" : names.joined(separator: " "))")
        }
        return Array(words)
    }
    let answer: JSONValue
    let (screen, daemon) = (context.screen, try context.daemon())
    switch step {
    case "list":
        _ = try arguments()
        answer = try daemon.json(.queueList)
        if !screen.isJSON { return list(answer, screen) }
    case "peek":
        let limit = try request.integer("-n", 1...1_000, default: 20)
        answer = try daemon.json(.queuePeek, [.text(try arguments("QUEUE")[0]), .int32(Int32(limit))])
        if !screen.isJSON {
            for item in answer.arrayValue ?? [] { screen.compactJSON(item) }
            return ExitCode.success
        }
    case "push":
        let words = try arguments("QUEUE", "ITEM")
        let item = (try? JSONValue(parsing: words[1])) ?? .string(words[1])
        answer = try daemon.json(.queuePush, [.text(words[0]), .text(item.compactText)])
        if !screen.isJSON {
            screen.sentence("\(answer.text("queue")): the item \(answer.text("id")) is put at the end")
            return ExitCode.success
        }
    case "pop":
        answer = try daemon.json(.queuePop, [.text(try arguments("QUEUE")[0])])
    case "ack":
        let words = try arguments("QUEUE", "ID")
        answer = try daemon.json(.queueAck, [.text(words[0]), .text(words[1])])
        if !screen.isJSON {
            screen.line("\(words[0]): the item \(words[1]) is dealt with")
            return ExitCode.success
        }
    default:
        throw request.usage("queue does not know \"\(step)\": list, peek, push, pop, ack")
    }
    screen.json(answer)
    return ExitCode.success
}

private func list(_ queues: JSONValue, _ screen: Screen) -> Int32 {
    guard let queues = queues.arrayValue, !queues.isEmpty else {
        screen.line("No queue has items.")
        return ExitCode.success
    }
    var table = Table("QUEUE", "ITEMS", "BYTES")
    for queue in queues {
        table.add([
            .init(queue.text("queue")), .init("\(queue["items"]?.intValue ?? 0)"),
            .init(queue["bytes"]?.intValue.map { "\($0)" } ?? ""),
        ])
    }
    table.print(on: screen)
    return ExitCode.success
}
