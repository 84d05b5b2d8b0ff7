@testable import DBus

/// An object with one of everything, as the tests call it.
final class ExampleObject {
    static let path: ObjectPath = "/org/example/Test"
    static let name: InterfaceName = "org.example.Test1"

    var level: Int32 = 3
    var kept: [MethodCall] = []
    var calls: [[DBusValue]] = []

    var exported: ExportedObject { ExportedObject(Self.path, [interface], isObjectManager: true) }

    var interface: Interface {
        Interface(
            Self.name, documentation: "An object with one of \"everything\".",
            methods: [
                Method("Echo", in: [Argument("text", "s", documentation: "What to say.")], out: [Argument("text", "s")])
                {
                    $0.reply($0.arguments)
                },
                Method("EchoVariant", in: [Argument("value", "v")], out: [Argument("value", "v")]) {
                    $0.reply($0.arguments)
                },
                Method(
                    "toggle", in: [Argument("name", "s"), Argument("enabled", "b")], out: [Argument("done", "b")]
                ) { [unowned self] call in  // Its test holds it.
                    calls.append(call.arguments)
                    call.reply([call.arguments[1]])
                },
                Method("history", in: [Argument("limit", "i", isOptional: true)], out: [Argument("count", "i")]) {
                    call in
                    call.reply([call.arguments.first ?? .int32(20)])
                },
                Method("Refuse") { _ in throw ErrorReply("org.example.Error.Refused", "no, and \0 is no text") },
                Method("Break") { _ in throw OddError() },
                Method("Drop") { _ in },
                Method("Mismatch", out: [Argument("number", "i")]) { $0.reply([.string("text")]) },
                // Its test holds it.
                Method("Keep", out: [Argument("answer", "s")]) { [unowned self] in kept.append($0) },
                Method("Ping", out: [Argument("pong", "s")]) { $0.reply([.string("pong")]) },
            ],
            signals: [SignalDeclaration("Happened", [Argument("what", "s"), Argument("count", "u")])],
            properties: [
                Property(
                    "Level", "i", documentation: "How much.",
                    // Its test holds it.
                    set: { [unowned self] _, value in
                        guard let number = value.asInt32, number >= 0 else {
                            throw ErrorReply(.invalidArgs, "Level must not be negative")
                        }
                        level = number
                    },
                    // Its test holds it.
                    get: { [unowned self] _ in .int32(level) }),
                Property("Version", "s", changeSignal: .const) { _ in .string("1") },
                Property("Stats", "a{sv}", changeSignal: .no) { _ in .properties([("n", .uint32(1))]) },
                Property("Big", "ay", changeSignal: .invalidates) { _ in .bytes([1, 2, 3]) },
                Property("Broken", "s") { _ in throw ErrorReply(.failed, "cannot be read now") },
            ],
            takesText: true)
    }

    struct OddError: Error {}
}
