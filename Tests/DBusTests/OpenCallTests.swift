import EventLoop
import TestSupport
import Testing

@testable import DBus

/// Every call is answered, on every path, and in the order that the gate says.
@Suite struct OpenCallTests {
    private let bus: PrivateBus
    private let example = ExampleObject()
    private let service: Connection
    private let client: Connection

    init() throws {
        bus = try PrivateBus()
        service = try bus.serve([example.exported])
        client = try bus.connect()
    }

    final class Answers {
        var results: [Result<[DBusValue], ErrorReply>] = []
        var errors: [ErrorName] { results.compactMap { if case .failure(let error) = $0 { error.name } else { nil } } }
    }

    private func send(_ member: MemberName, count: Int = 1, _ arguments: [DBusValue] = []) -> Answers {
        let answers = Answers()
        for _ in 0..<count {
            client.call(
                RemoteCall("org.example.Test", ExampleObject.path, ExampleObject.name, member, arguments)
            ) { answers.results.append($0) }
        }
        return answers
    }

    @Test func openCallsAreAnsweredOnBehalfOfWhoeverWasTo() throws {
        let answers = send("Keep", count: 5)
        try bus.turn(until: "the calls") { example.kept.count == 5 }
        #expect(service.openCallCount == 5)
        service.answerOpenCalls(with: ErrorReply("org.example.Error.Ending", "the service ends"))
        #expect(service.openCallCount == 0)
        try bus.turn(until: "the answers") { answers.results.count == 5 }
        #expect(answers.errors == Array(repeating: "org.example.Error.Ending", count: 5))
        // Whoever was to answer may do so later, in whatever way.
        #expect(example.kept.allSatisfy { $0.isAnswered })
        example.kept[0].reply([.string("late")])
        example.kept[1].fail(ErrorReply(.failed, "late"))
        example.kept[2].abandon()
        example.kept = []
        try bus.settle(service)
        #expect(answers.results.count == 5)
    }

    @Test func aConnectionThatIsClosedAnswersThem() throws {
        let answers = send("Keep", count: 3)
        try bus.turn(until: "the calls") { example.kept.count == 3 }
        service.close()
        try bus.turn(until: "the answers") { answers.results.count == 3 }
        #expect(answers.errors == Array(repeating: .noReply, count: 3))
        example.kept[0].reply([.string("late")])
        example.kept = []
    }

    @Test func aCallThatIsLetGoOfIsAnsweredAndTold() throws {
        var faults: [String] = []
        service.onFault = { faults.append($0) }
        let answers = send("Keep", count: 2)
        try bus.turn(until: "the calls") { example.kept.count == 2 }
        example.kept = []
        // Nobody's code runs while an object goes: it is told in the next turn.
        #expect(faults.isEmpty)
        #expect(service.openCallCount == 0)
        try bus.turn(until: "the answers") { answers.results.count == 2 && faults.count == 2 }
        #expect(answers.errors == [.failed, .failed])
    }

    @Test func aGateThatLosesACallAnswersIt() throws {
        service.onFault = { _ in }
        service.gate = { _, _, _ in }
        let answers = send("Echo", count: 3, [.string("x")])
        try bus.turn(until: "the answers") { answers.results.count == 3 }
        #expect(answers.errors == [.failed, .failed, .failed])
    }

    @Test func aGateThatRefusesIsHeard() throws {
        service.gate = { kind, _, pass in pass(kind == .health ? nil : ErrorReply("org.example.Error.Shut", "not now"))
        }
        let answers = send("Echo", count: 2, [.string("x")])
        try bus.turn(until: "the answers") { answers.results.count == 2 }
        #expect(answers.errors == ["org.example.Error.Shut", "org.example.Error.Shut"])
        #expect(try bus.call(client, RemoteCall("org.example.Test", "/", nil, "Ping")) == .success([]))
    }

    @Test func everyCallGoesThroughTheGateInItsKind() throws {
        var kinds: [Method.Kind] = []
        let object = ExportedObject(
            "/gate",
            [
                Interface(
                    "org.example.Gate",
                    methods: [
                        Method("Ask", .request) { $0.reply() }, Method("Tell") { $0.reply() },
                        Method("Refuse", .request) { _ in throw ErrorReply(.failed, "no") },
                        Method("Relay", .request) { call in
                            try call.perform("Tell", []) { _ in call.reply() }
                        },
                    ],
                    properties: [Property("Level", "i", set: { _, _ in }, get: { _ in .int32(1) })])
            ])
        service.export(object)
        service.gate = { kind, sender, pass in
            #expect(sender == client.uniqueName)
            kinds.append(kind)
            pass(nil)
        }
        let name: DBusValue = .string("org.example.Gate")
        let properties: InterfaceName = "org.freedesktop.DBus.Properties"
        let rows: [(InterfaceName, MemberName, [DBusValue], [Method.Kind])] = [
            ("org.example.Gate", "Ask", [], [.request]), ("org.example.Gate", "Tell", [], [.read]),
            ("org.example.Gate", "Refuse", [], [.request, .read]), ("org.example.Gate", "None", [], [.read]),
            ("org.example.Gate", "Relay", [], [.request, .read]),
            (properties, "Get", [name, .string("Level")], [.read]), (properties, "GetAll", [name], [.read]),
            (properties, "Set", [name, .string("Level"), .variant(.int32(2))], [.change]),
            ("org.freedesktop.DBus.Introspectable", "Introspect", [], [.read]),
            ("org.freedesktop.DBus.Peer", "Ping", [], [.health]),
        ]
        for (interface, member, arguments, expected) in rows {
            kinds = []
            _ = try bus.call(client, RemoteCall("org.example.Test", "/gate", interface, member, arguments))
            #expect(kinds == expected, "\(interface).\(member)")
        }
    }

    /// What is there is looked up when the gate lets the call pass: it may have come or gone while it waited.
    @Test func aCallThatWaitsFindsWhatIsThereThen() throws {
        var waiting: [(ErrorReply?) -> Void] = []
        service.gate = { _, _, pass in waiting.append(pass) }
        let pong: ExportedObject = ExportedObject(
            "/late", [Interface("org.example.Late", methods: [Method("Say") { $0.reply() }])])
        var results: [Result<[DBusValue], ErrorReply>] = []
        client.call(RemoteCall("org.example.Test", "/late", nil, "Say")) { results.append($0) }
        client.call(RemoteCall("org.example.Test", ExampleObject.path, ExampleObject.name, "Ping")) {
            results.append($0)
        }
        try bus.turn(until: "the calls") { waiting.count == 2 }
        service.export(pong, announces: false)
        service.unexport(ExampleObject.path)
        for pass in waiting { pass(nil) }
        try bus.turn(until: "the answers") { results.count == 2 }
        #expect(results[0] == .success([]))
        guard case .failure(let error) = results[1] else { throw TestFailure("an object that has gone answered") }
        #expect(error.name == .unknownObject)
    }

    /// A call within another is answered first, so that the other's handler can say it in its own words.
    @Test func aCallWithinAnotherIsAnsweredInItsWords() throws {
        let object = ExportedObject(
            "/outer",
            [
                Interface(
                    "org.example.Outer",
                    methods: [
                        Method("Keep", out: [Argument("text", "s")]) { [example] in example.kept.append($0) },
                        Method("Door", out: [Argument("text", "s")]) { call in
                            try call.perform("Keep", []) { result in
                                if case .failure(let error) = result {
                                    call.reply([.string("refused: \(error.message)")])
                                }
                            }
                        },
                    ])
            ])
        service.export(object)
        var result: Result<[DBusValue], ErrorReply>?
        client.call(RemoteCall("org.example.Test", "/outer", nil, "Door")) { result = $0 }
        try bus.turn(until: "the call") { example.kept.count == 1 }
        #expect(service.openCallCount == 2)
        service.answerOpenCalls(with: ErrorReply(.failed, "ending"))
        try bus.turn(until: "the answer") { result != nil }
        #expect(result == .success([.string("refused: ending")]))
        example.kept = []
        #expect(service.openCallCount == 0)
    }
}
