import TestSupport
import Testing

@testable import DBus

/// What callers get for what they send.
@Suite struct DispatchTests {
    private let bus: PrivateBus
    private let example = ExampleObject()
    private let service: Connection
    private let client: Connection

    init() throws {
        bus = try PrivateBus()
        service = try bus.serve([example.exported])
        client = try bus.connect()
    }

    private func call(
        _ member: MemberName, _ arguments: [DBusValue] = [], interface: InterfaceName? = ExampleObject.name,
        path: ObjectPath = ExampleObject.path
    ) throws -> Result<[DBusValue], ErrorReply> {
        try bus.call(client, RemoteCall("org.example.Test", path, interface, member, arguments))
    }

    private func error(of result: Result<[DBusValue], ErrorReply>) -> ErrorReply? {
        if case .failure(let error) = result { error } else { nil }
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let path: ObjectPath
        let interface: InterfaceName?
        let member: MemberName
        var arguments: [DBusValue] = []
        let name: ErrorName
        let text: [String]
        var testDescription: String { "\(interface?.text ?? "").\(member) at \(path)" }
    }

    private static let properties: InterfaceName = "org.freedesktop.DBus.Properties"

    @Test(arguments: [
        Refusal(path: "/none", interface: nil, member: "Ping", name: .unknownObject, text: ["/none", "Ping"]),
        Refusal(path: "/", interface: nil, member: "Echo", name: .unknownMethod, text: ["Echo"]),
        Refusal(
            path: "/org/example/Test", interface: "org.none", member: "Echo", name: .unknownInterface,
            text: ["org.none", "/org/example/Test"]),
        Refusal(
            path: "/org/example/Test", interface: ExampleObject.name, member: "None", name: .unknownMethod,
            text: ["org.example.Test1.None"]),
        Refusal(path: "/org/example/Test", interface: nil, member: "None", name: .unknownMethod, text: ["None"]),
        Refusal(
            path: "/org/example/Test", interface: ExampleObject.name, member: "Echo", name: .invalidArgs,
            text: ["0 arguments", "(s text)"]),
        Refusal(
            path: "/org/example/Test", interface: ExampleObject.name, member: "Echo",
            arguments: [.string("a"), .string("b")], name: .invalidArgs, text: ["2 arguments ('ss')", "(s text)"]),
        Refusal(
            path: "/org/example/Test", interface: ExampleObject.name, member: "history", arguments: [.uint32(1)],
            name: .invalidArgs, text: ["'limit' came as 'u'", "expected: 'i'"]),
        Refusal(
            path: "/org/example/Test", interface: ExampleObject.name, member: "history", arguments: [.bool(true)],
            name: .invalidArgs, text: ["'limit' came as 'b'"]),
        Refusal(
            path: "/org/example/Test", interface: properties, member: "Get",
            arguments: [.string("org.none"), .string("Level")], name: .unknownInterface, text: ["org.none"]),
        Refusal(
            path: "/org/example/Test", interface: properties, member: "Get",
            arguments: [.string("org.example.Test1"), .string("None")], name: .unknownProperty, text: ["None"]),
        Refusal(
            path: "/org/example/Test", interface: properties, member: "Get",
            arguments: [.string("org.freedesktop.DBus.Peer"), .string("X")], name: .unknownProperty, text: ["X"]),
        Refusal(
            path: "/org/example/Test", interface: properties, member: "Get",
            arguments: [.string("org.example.Test1"), .string("Broken")], name: .failed, text: ["cannot be read now"]),
        Refusal(
            path: "/org/example/Test", interface: properties, member: "Set",
            arguments: [.string("org.example.Test1"), .string("Version"), .variant(.string("2"))],
            name: .propertyReadOnly, text: ["Version"]),
        Refusal(
            path: "/org/example/Test", interface: properties, member: "Set",
            arguments: [.string("org.example.Test1"), .string("Level"), .variant(.string("2"))],
            name: .invalidArgs, text: ["'s'", "'i'"]),
        Refusal(
            path: "/org/example/Test", interface: properties, member: "Set",
            arguments: [.string("org.example.Test1"), .string("Level"), .variant(.int32(-1))],
            name: .invalidArgs, text: ["negative"]),
        Refusal(
            path: "/org/example/Test", interface: properties, member: "GetAll", arguments: [.string("none")],
            name: .unknownInterface, text: ["none"]),
        Refusal(
            path: "/org", interface: properties, member: "GetAll", arguments: [.string("")], name: .unknownInterface,
            text: ["/org"]),
    ])
    func whatIsWrongIsRefusedByName(_ row: Refusal) throws {
        let error = error(of: try call(row.member, row.arguments, interface: row.interface, path: row.path))
        #expect(error?.name == row.name)
        for text in row.text {
            #expect(error?.message.contains(text) == true, "\(error?.message ?? "") lacks \(text)")
        }
    }

    @Test func aCallWithoutInterfaceFindsTheFirstMethodOfThatName() throws {
        #expect(try call("Ping", interface: nil) == .success([.string("pong")]))
        #expect(try call("Ping", interface: "org.freedesktop.DBus.Peer") == .success([]))
        guard case .success(let id) = try call("GetMachineId", interface: nil) else { throw TestFailure("no id") }
        #expect(id.first?.asString?.count == 32)
    }

    @Test func optionalArgumentsMayBeLeftOut() throws {
        #expect(try call("history") == .success([.int32(20)]))
        #expect(try call("history", [.int32(7)]) == .success([.int32(7)]))
    }

    @Test func textIsTakenOnlyWhereTheInterfaceSaysSo() throws {
        let strict = Interface(
            "org.example.Strict",
            methods: [Method("Set", in: [Argument("on", "b")]) { $0.reply() }])
        service.export(ExportedObject("/strict", [strict]))
        let refused = error(of: try call("Set", [.string("true")], interface: nil, path: "/strict"))
        #expect(refused?.name == .invalidArgs)
        #expect(try call("Set", [.bool(true)], interface: nil, path: "/strict") == .success([]))
    }

    // MARK: - Answers

    @Test func aHandlersErrorIsTheAnswer() throws {
        let refused = error(of: try call("Refuse"))
        #expect(refused == ErrorReply("org.example.Error.Refused", "no, and \u{FFFD} is no text"))
    }

    @Test(arguments: ["Break", "Drop", "Mismatch"] as [MemberName])
    func aFaultOfOursIsFailedWithoutDetailsAndIsTold(_ member: MemberName) throws {
        var faults: [String] = []
        service.onFault = { faults.append($0) }
        let failed = error(of: try call(member))
        #expect(failed?.name == .failed)
        #expect(failed?.message.contains("OddError") == false)
        #expect(faults.count == 1)
        #expect(faults.first?.contains("org.example.Test1.\(member)") == true)
    }

    @Test func anAnswerMayComeLater() throws {
        var answers: [Result<[DBusValue], ErrorReply>] = []
        for _ in 0..<3 {
            client.call(RemoteCall("org.example.Test", ExampleObject.path, nil, "Keep")) { answers.append($0) }
        }
        try bus.turn(until: "the calls") { example.kept.count == 3 }
        #expect(try call("Echo", [.string("meanwhile")]) == .success([.string("meanwhile")]))
        #expect(answers.isEmpty)
        #expect(example.kept.allSatisfy { $0.sender == client.uniqueName && $0.expectsReply && !$0.isAnswered })
        example.kept.removeLast().reply([.string("third")])
        example.kept.removeLast().fail(ErrorReply("org.example.Error.Late", "second"))
        example.kept.removeLast().reply([.string("first")])
        try bus.turn(until: "the answers") { answers.count == 3 }
        #expect(
            answers == [
                .success([.string("third")]), .failure(ErrorReply("org.example.Error.Late", "second")),
                .success([.string("first")]),
            ])
    }

    @Test func aCallerThatIsGoneCostsNothing() throws {
        let other = try bus.connect()
        other.call(RemoteCall("org.example.Test", ExampleObject.path, nil, "Keep")) { _ in }
        try bus.turn(until: "the call") { example.kept.count == 1 }
        var isGone = false
        let watch = service.watch(peer: try #require(example.kept[0].sender)) { isGone = true }
        other.close()
        try bus.turn(until: "the caller's end") { isGone }
        example.kept.removeFirst().reply([.string("nobody hears")])
        #expect(try call("Echo", [.string("x")]) == .success([.string("x")]))
        watch.cancel()
    }

    @Test func whoWantsNoAnswerGetsNone() throws {
        var faults = 0
        service.onFault = { _ in faults += 1 }
        let sent = try bus.run([
            "busctl", "--user", "--expect-reply=no", "call", "org.example.Test", "/org/example/Test",
            "org.example.Test1", "Keep",
        ])
        #expect(sent.code == 0)
        try bus.turn(until: "the call") { example.kept.count == 1 }
        #expect(example.kept.first?.expectsReply == false)
        example.kept.removeFirst().reply([.string("unheard")])
        #expect(faults == 0)
        try bus.settle(service)
    }

    // MARK: - Properties

    @Test func getAllGivesWhatCanBeRead() throws {
        guard case .success(let values) = try call("GetAll", [.string("org.example.Test1")], interface: nil),
            let all = values.first
        else { throw TestFailure("no properties") }
        #expect(all.asEntries?.map(\.key) == ["Level", "Version", "Stats", "Big"].map { .string($0) })
        #expect(all["Level"] == .int32(3))
        #expect(all["Stats"]?["n"] == .uint32(1))
        #expect(all["Broken"] == nil)
        #expect(
            try call("GetAll", [.string("org.freedesktop.DBus.Peer")], interface: nil) == .success([.properties([])]))
    }

    @Test func setGoesToTheSetter() throws {
        let arguments: [DBusValue] = [.string("org.example.Test1"), .string("Level"), .variant(.int32(9))]
        #expect(try call("Set", arguments, interface: nil) == .success([]))
        #expect(example.level == 9)
        #expect(try call("Get", Array(arguments.prefix(2)), interface: nil) == .success([.variant(.int32(9))]))
        #expect(try call("Get", [.string(""), .string("Level")], interface: nil) == .success([.variant(.int32(9))]))
    }

    @Test func changesOfOneTurnAreOneSignal() throws {
        var signals: [[DBusValue]] = []
        let rule = MatchRule(
            sender: "org.example.Test", path: ExampleObject.path, interface: Self.properties,
            member: "PropertiesChanged")
        let subscription = client.subscribe(rule) { signals.append($0.arguments) }
        try bus.settle(client)
        service.onFault = { #expect($0.contains("Nonsense")) }
        service.propertiesChanged(ExampleObject.path, ExampleObject.name, ["Level", "Big", "Version"])
        service.propertiesChanged(ExampleObject.path, ExampleObject.name, ["Level", "Stats", "Broken", "Nonsense"])
        example.level = 77
        service.propertiesChanged("/none", ExampleObject.name, ["Level"])
        try bus.turn(until: "the signal") { !signals.isEmpty }
        service.propertiesChanged(ExampleObject.path, ExampleObject.name, ["Version", "Stats"])
        try bus.settle(service)
        try bus.settle(client)
        let expected: [DBusValue] = [
            .string("org.example.Test1"), .properties([("Level", .int32(77))]), .strings(["Big", "Broken"]),
        ]
        #expect(signals == [expected])
        subscription.cancel()
    }
}
