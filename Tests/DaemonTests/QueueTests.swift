import DBus
import JSON
import Testing

/// The queues of the JSON face.
@Suite(.ownThread) struct QueueTests {
    private let session: Session
    private let daemon: Program

    init() throws {
        session = try Session(jobs: [])
        daemon = try session.start()
    }

    @discardableResult
    private func push(_ queue: String, _ item: JSONValue) throws -> String {
        let answer = try session.json("queue_push", .string(queue), .string(item.compactText))
        #expect(answer["queue"]?.stringValue == queue)
        return answer.text("id")
    }

    private func pop(_ queue: String) throws -> JSONValue { try session.json("queue_pop", .string(queue)) }

    private func isEmpty(_ queue: String) throws -> Bool {
        let refused = try session.refusal("queue_pop", .string(queue))
        #expect(refused.message.contains(queue))
        return refused.name == "com.aiworkflow.BotCron.Error.QueueEmpty"
    }

    @Test func itemsComeOutInTheirOrder() throws {
        #expect(try isEmpty("results"))
        let items: [JSONValue] = [["a": [1.50, nil]], "text", 5, nil, true]
        let ids = try items.map { try push("results", $0) }
        #expect(Set(ids).count == items.count)
        try push("errors", "other")
        #expect(
            try session.json("queue_list") == [
                ["queue": "errors", "items": 1, "bytes": 7], ["queue": "results", "items": 5, "bytes": 33],
            ])
        let peeked = try session.json("queue_peek", "results", .int32(3))
        #expect(peeked.arrayValue?.map { $0["item"] } == [items[0], items[1], items[2]])
        for (id, item) in zip(ids, items) {
            #expect(try pop("results") == ["id": .string(id), "item": item])
        }
        #expect(try isEmpty("results"))
        #expect(try session.json("queue_peek", "results", .int32(0)) == [])
        for id in ids {
            #expect(try session.json("queue_ack", "results", .string(id))["id"]?.stringValue == id)
        }
        #expect(try session.json("queue_list").arrayValue?.map { $0["queue"] } == ["errors"])
        // An id is never given out twice.
        #expect(!ids.contains(try push("results", 1)))
    }

    @Test func whatIsNotAcknowledgedComesAgainAfterARestart() throws {
        let first = try push("q", 1)
        let second = try push("q", 2)
        #expect(try pop("q").text("id") == first)
        #expect(try pop("q").text("id") == second)
        _ = try session.json("queue_ack", "q", .string(second))
        #expect(try isEmpty("q"))
        try session.crash(daemon)
        try session.start()
        #expect(try pop("q") == ["id": .string(first), "item": 1])
        #expect(try isEmpty("q"))
        #expect(try session.json("queue_list") == [["queue": "q", "items": 1, "bytes": 1]])
        #expect(!([first, second].contains(try push("q", 3))))
    }

    @Test func twoWhoPopAtOnceGetTwoItems() throws {
        for number in 0..<10 { try push("q", .number(number)) }
        var answers: [String] = []
        for _ in 0..<10 {
            session.client.call(RemoteCall(Session.name, Session.path, Session.interface, "queue_pop", ["q"])) {
                answers.append((try? $0.get().first?.asString) ?? "\($0)")
            }
        }
        try session.wait("ten answers") { answers.count == 10 }
        #expect(try answers.map { try JSONValue(parsing: $0)["item"]?.intValue } == (0..<10).map { $0 })
        let id = try JSONValue(parsing: answers[0]).text("id")
        var acks: [Bool] = []
        for _ in 0..<3 {
            session.client.call(
                RemoteCall(Session.name, Session.path, Session.interface, "queue_ack", ["q", .string(id)])
            ) { acks.append((try? $0.get()) != nil) }
        }
        try session.wait("three answers") { acks.count == 3 }
        #expect(acks.filter { $0 }.count == 1)
        #expect(try session.json("queue_list")[0]?["items"] == 9)
    }

    @Test func whatDoesNotFitIsRefusedByName() throws {
        #expect(try session.refusal("queue_push", "q", "{").name == .invalidArgs)
        #expect(try session.refusal("queue_push", "a b", "1").name == .invalidArgs)
        #expect(try session.refusal("queue_push", "", "1").name == .invalidArgs)
        #expect(try session.refusal("queue_ack", "q", "no id").name == .invalidArgs)
        let id = try push("other", 1)
        #expect(try session.refusal("queue_ack", "q", .string(id)).name == .invalidArgs)
        let large = JSONValue.string(String(repeating: "x", count: 70_000))
        let refused = try session.refusal("queue_push", "q", .string(large.compactText))
        #expect(refused.name == .limitsExceeded)
        #expect(refused.message.contains("65536"))
        for number in 0..<99 { try push("q\(number)", 1) }
        #expect(try session.refusal("queue_push", "one_more", "1").name == .limitsExceeded)
        try push("q5", 2)
    }

    @Test func olderClientsCallThemToo() throws {
        let pushed = try session.json("CallMethod", "queue_push", #"{"queue": "q", "item": {"a": 1}}"#)
        #expect(pushed["success"] == true)
        let popped = try session.json("CallMethod", "queue_pop", #"["q"]"#)
        #expect(popped == ["success": true, "id": pushed["id"] ?? .null, "item": ["a": 1]])
        #expect(try session.json("CallMethod", "queue_pop", #"["q"]"#)["success"] == false)
        #expect(try session.json("CallMethod", "queue_list", "")["result"]?.arrayValue?.count == 1)
    }
}
