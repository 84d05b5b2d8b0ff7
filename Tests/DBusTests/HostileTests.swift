import CDBus
import Glibc
import TestSupport
import Testing

@testable import DBus

/// Whatever clients send is answered or refused by name, and costs a bounded amount.
@Suite struct HostileTests {
    private let bus: PrivateBus
    private let example = ExampleObject()
    private let service: Connection
    private let client: Connection

    init() throws {
        bus = try PrivateBus()
        service = try bus.serve([example.exported])
        service.onFault = { _ in }
        client = try bus.connect()
    }

    private func send(_ call: RemoteCall) throws -> Result<[DBusValue], ErrorReply> {
        try bus.call(client, call)
    }

    private func echo(_ value: DBusValue) throws -> Result<[DBusValue], ErrorReply> {
        try send(RemoteCall("org.example.Test", ExampleObject.path, nil, "EchoVariant", [.variant(value)]))
    }

    @Test func everyValueComesBackAsItWas() throws {
        var values = RandomValues(random: SeededGenerator(seed: 2024))
        for index in 0..<1000 {
            let value = values.value()
            #expect(try echo(value) == .success([.variant(value)]), "value \(index) of the seed")
        }
    }

    @Test func edgesOfTheTypesComeBack() throws {
        let values: [DBusValue] = [
            .string(""), .string("\u{FFFF}\u{10FFFF}"), .bytes([]), .array([], element: "a{s(iv)}"),
            .dictionary([], key: "y", value: "av"), .double(-0.0), .double(.infinity), .signature(""),
            .objectPath("/"), .bytes([UInt8](repeating: 255, count: 1 << 20)), .int64(.min), .uint64(.max),
            .array([.bytes([1]), .bytes([])], element: "ay"), .structure([.variant(.variant(.byte(1)))]),
        ]
        for value in values {
            #expect(try echo(value) == .success([.variant(value)]), "\(value.signature)")
        }
    }

    @Test func randomCallsAreAllAnsweredOrRefusedByName() throws {
        let seed = UInt64(PrivateBus.monotonicUSec)
        var values = RandomValues(random: SeededGenerator(seed: seed))
        let paths: [ObjectPath] = [ExampleObject.path, "/", "/org", "/org/example", "/none"]
        let interfaces: [InterfaceName?] = [
            nil, ExampleObject.name, "org.freedesktop.DBus.Properties", "org.freedesktop.DBus.Peer",
            "org.freedesktop.DBus.Introspectable", "org.freedesktop.DBus.ObjectManager", "org.none",
        ]
        let members: [MemberName] = [
            "Echo", "EchoVariant", "toggle", "history", "Refuse", "Break", "Drop", "Mismatch", "Get", "Set", "GetAll",
            "Introspect", "Ping", "GetMachineId", "GetManagedObjects", "None",
        ]
        let standardErrors: Set<ErrorName> = [
            .invalidArgs, .unknownMethod, .unknownObject, .unknownInterface, .unknownProperty, .propertyReadOnly,
            .failed, "org.example.Error.Refused",
        ]
        var waiting = 0
        var errors: Set<ErrorName> = []
        for _ in 0..<6000 {
            let call = RemoteCall(
                "org.example.Test", paths.randomElement(using: &values.random) ?? "/",
                interfaces.randomElement(using: &values.random) ?? nil,
                members.randomElement(using: &values.random) ?? "Echo",
                (0..<Int.random(in: 0...3, using: &values.random)).map { _ in
                    Int.random(in: 0..<2, using: &values.random) == 0 ? .string(values.text()) : values.value()
                })
            waiting += 1
            client.call(call) { result in
                waiting -= 1
                if case .failure(let error) = result { errors.insert(error.name) }
            }
            if waiting > 200 {
                try bus.turn(until: "answers, seed \(seed)") { waiting < 100 }
            }
        }
        try bus.turn(until: "all answers, seed \(seed)") { waiting == 0 }
        #expect(errors.subtracting(standardErrors) == [], "seed \(seed)")
        #expect(errors.count >= 5)
        #expect(service.isOpen)
    }

    // MARK: - Large and deep

    @Test func tooManyValuesAreRefused() throws {
        let many = [Int32](repeating: 7, count: MessageReader.valuesMax + 1).map { DBusValue.int32($0) }
        guard case .failure(let error) = try echo(.array(many, element: "i")) else { throw TestFailure("an answer") }
        #expect(error.name == .limitsExceeded)
        #expect(error.message.contains(String(MessageReader.valuesMax)))
        #expect(try echo(.byte(1)) == .success([.variant(.byte(1))]))
    }

    @Test func anUndeclaredBodyIsRefusedUnread() throws {
        let huge = DBusValue.bytes([UInt8](repeating: 0, count: 30 << 20))
        let call = RemoteCall("org.example.Test", ExampleObject.path, nil, "Echo", [huge])
        guard case .failure(let error) = try send(call) else { throw TestFailure("an answer") }
        #expect(error.name == .invalidArgs)
    }

    /// Deeper than we would write ourselves; libdbus lets 64 containers through.
    @Test(arguments: [1, 31, 32, 33, 60])
    func deepVariantsAreReadOrRefused(_ depth: Int) throws {
        let message = try #require(
            dbus_message_new_method_call("org.example.Test", "/org/example/Test", nil, "EchoVariant"))
        defer { dbus_message_unref(message) }
        var iterators = [DBusMessageIter](repeating: DBusMessageIter(), count: depth + 1)
        iterators.withUnsafeMutableBufferPointer { places in
            guard let first = places.baseAddress else { return }
            dbus_message_iter_init_append(message, first)
            for level in 0..<depth {
                let content = level == depth - 1 ? "y" : "v"
                dbus_message_iter_open_container(first + level, Int32(UInt8(ascii: "v")), content, first + level + 1)
            }
            var byte: UInt8 = 9
            dbus_message_iter_append_basic(first + depth, Int32(UInt8(ascii: "y")), &byte)
            for level in (0..<depth).reversed() {
                dbus_message_iter_close_container(first + level, first + level + 1)
            }
        }
        var expected = DBusValue.byte(9)
        for _ in 0..<depth { expected = .variant(expected) }
        var pending: OpaquePointer?
        dbus_connection_send_with_reply(client.raw, message, &pending, 20_000)
        let call = try #require(pending)
        defer { dbus_pending_call_unref(call) }
        try bus.turn(until: "the answer") { dbus_pending_call_get_completed(call) != 0 }
        let reply = Message(adopting: try #require(dbus_pending_call_steal_reply(call)))
        if depth <= ValueCheck.depthMax {
            #expect(reply.result == .success([expected]))
        } else {
            guard case .failure(let error) = reply.result else { throw TestFailure("an answer") }
            #expect(error.name == .limitsExceeded)
        }
    }

    struct Unwritable: Sendable, CustomTestStringConvertible {
        let value: DBusValue
        let kind: DBus.DBusError.Kind
        var testDescription: String { String(value.signature.text.prefix(20)) }
    }

    private static let unwritable: [Unwritable] = [
        Unwritable(value: .string("a\0b"), kind: .invalidValue),
        Unwritable(value: .array([.int32(1), .string("a")], element: "i"), kind: .invalidValue),
        Unwritable(value: .array([.int32(1)], element: "ii"), kind: .invalidValue),
        Unwritable(value: .array([], element: ""), kind: .invalidValue),
        Unwritable(value: .structure([]), kind: .invalidValue),
        Unwritable(value: .dictionary([], key: "v", value: "s"), kind: .invalidValue),
        Unwritable(value: .dictionary([.init(.string("a"), .int32(1))], key: "s", value: "s"), kind: .invalidValue),
        Unwritable(value: .variant(.structure([])), kind: .invalidValue),
        Unwritable(value: .structure(Array(repeating: .byte(1), count: 300)), kind: .invalidValue),
        Unwritable(value: .unixFD(UnixFD(owning: -1)), kind: .invalidValue),
        Unwritable(value: .bytes([UInt8](repeating: 0, count: ValueCheck.bodyBytesMax + 1)), kind: .tooLarge),
        Unwritable(value: (0..<40).reduce(.byte(1)) { value, _ in .variant(value) }, kind: .tooLarge),
    ]

    @Test(arguments: unwritable)
    func valuesThatCannotTravelAreErrors(_ row: Unwritable) throws {
        guard case .failure(let error) = try echo(row.value) else { throw TestFailure("an answer") }
        #expect(error.name == (row.kind == .tooLarge ? .limitsExceeded : .invalidArgs))
        var check = ValueCheck()
        let thrown = #expect(throws: DBus.DBusError.self) { try check.value(row.value) }
        #expect(thrown?.kind == row.kind)
    }

    @Test func aSignatureOfMoreThan255BytesIsAnError() throws {
        let call = RemoteCall(
            "org.example.Test", ExampleObject.path, nil, "Echo", Array(repeating: .byte(1), count: 256))
        guard case .failure(let error) = try send(call) else { throw TestFailure("an answer") }
        #expect(error.name == .limitsExceeded)
    }

    // MARK: - Rude clients

    @Test func repliesThatNobodyAskedForAreIgnored() throws {
        let name = try #require(service.uniqueName)
        for serial in [1, 2, 77, UInt32.max] {
            let message = try #require(dbus_message_new(DBUS_MESSAGE_TYPE_METHOD_RETURN))
            dbus_message_set_destination(message, name.text)
            dbus_message_set_reply_serial(message, serial)
            dbus_connection_send(client.raw, message, nil)
            dbus_message_unref(message)
        }
        #expect(try echo(.byte(1)) == .success([.variant(.byte(1))]))
    }

    @Test func callersThatLeaveInTheMiddleAreForgotten() throws {
        for index in 0..<50 {
            let rude = try bus.connect()
            for _ in 0..<20 {
                let member: MemberName = index % 2 == 0 ? "Keep" : "Echo"
                rude.call(RemoteCall("org.example.Test", ExampleObject.path, nil, member)) { _ in }
            }
            rude.flush()
            rude.close()
        }
        #expect(try echo(.byte(1)) == .success([.variant(.byte(1))]))
        try bus.turn(until: "the calls") { example.kept.count == 25 * 20 }
        for call in example.kept { call.reply([.string("nobody")]) }
        example.kept = []
        #expect(try echo(.byte(1)) == .success([.variant(.byte(1))]))
    }
}
