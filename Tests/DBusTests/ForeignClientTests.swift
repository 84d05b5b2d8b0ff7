import EventLoop
import TestSupport
import Testing

@testable import DBus

/// Clients that are not ours, against an exported object.
@Suite struct ForeignClientTests {
    private let bus: PrivateBus
    private let example = ExampleObject()
    private let service: Connection

    init() throws {
        bus = try PrivateBus()
        service = try bus.serve([example.exported])
    }

    private func busctl(_ verb: String, _ arguments: String...) throws -> String {
        let target = ["org.example.Test", "/org/example/Test", "org.example.Test1"]
        return try bus.run(["busctl", "--user", verb] + target + arguments).output
    }

    @Test func busctlCallsMethods() throws {
        #expect(try busctl("call", "Echo", "s", "hello") == "s \"hello\"\n")
        #expect(try busctl("call", "history") == "i 20\n")
        #expect(try busctl("call", "Refuse") == "Call failed: no, and \u{FFFD} is no text\n")
        #expect(try busctl("call", "Ping") == "s \"pong\"\n")
    }

    @Test func busctlReadsAndWritesProperties() throws {
        #expect(try busctl("get-property", "Level") == "i 3\n")
        #expect(try busctl("set-property", "Level", "i", "5") == "")
        #expect(try busctl("get-property", "Level", "Version") == "i 5\ns \"1\"\n")
        #expect(try busctl("set-property", "Version", "s", "2").contains("read-only"))
    }

    @Test func busctlIntrospects() throws {
        let text = try bus.run(["busctl", "--user", "introspect", "org.example.Test", "/org/example/Test"]).output
        let rows = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(rows.contains([".toggle", "method", "sb", "b", "-"]))
        #expect(rows.contains([".Level", "property", "i", "3", "emits-change", "writable"]))
        #expect(rows.contains([".Version", "property", "s", "\"1\"", "const"]))
        #expect(rows.contains([".Happened", "signal", "su", "-", "-"]))
        #expect(rows.contains(["org.freedesktop.DBus.ObjectManager", "interface", "-", "-", "-"]))
        let tree = try bus.run(["busctl", "--user", "--list", "tree", "org.example.Test"]).output
        #expect(tree == "/\n/org\n/org/example\n/org/example/Test\n")
    }

    /// Every text that a shell script may pass for a boolean or a number, and what is none.
    @Test func textsAreTakenForBooleansAndNumbers() throws {
        for (text, answer) in [
            ("true", "b true"), ("false", "b false"), ("1", "b true"), ("0", "b false"), ("yes", "b true"),
            ("no", "b false"), ("on", "b true"), ("off", "b false"), ("False", "b false"),
        ] {
            #expect(try busctl("call", "toggle", "ss", "daily", text) == answer + "\n")
        }
        #expect(example.calls.allSatisfy { $0.first == .string("daily") && $0[1].asBool != nil })
        #expect(try busctl("call", "history", "s", "--", "-12") == "i -12\n")
        for text in ["", "maybe", "2", " true"] {
            let refused = try busctl("call", "toggle", "ss", "daily", text)
            #expect(refused.contains("'enabled'") && refused.contains("\"\(text)\"") && refused.contains("'b'"))
        }
        for text in ["", "x", "+1", "1.0", "99999999999"] {
            let refused = try busctl("call", "history", "s", text)
            #expect(refused.contains("'limit'") && refused.contains("\"\(text)\"") && refused.contains("'i'"))
        }
    }

    @Test func dbusSendCallsMethods() throws {
        let reply = try bus.run([
            "dbus-send", "--session", "--print-reply=literal", "--dest=org.example.Test", "/org/example/Test",
            "org.example.Test1.Echo", "string:hello there",
        ])
        #expect(reply.code == 0)
        #expect(reply.output == "   hello there")
        let error = try bus.run([
            "dbus-send", "--session", "--print-reply", "--dest=org.example.Test", "/org/example/Test",
            "org.example.Test1.Echo", "uint32:5",
        ])
        #expect(error.code == 1)
        #expect(error.output.contains("org.freedesktop.DBus.Error.InvalidArgs"))
        #expect(error.output.contains("'text' came as 'u'; expected: 's'"))
    }

    @Test func gdbusIntrospectsAndCalls() throws {
        let target = ["--session", "--dest", "org.example.Test", "--object-path", "/org/example/Test"]
        let text = try bus.run(["gdbus", "introspect"] + target)
        #expect(text.code == 0)
        #expect(text.output.contains("toggle(in  s name,\n             in  b enabled,\n             out b done);"))
        #expect(text.output.contains("readwrite i Level = 3;"))
        let call = try bus.run(
            ["gdbus", "call"] + target + ["--method", "org.example.Test1.EchoVariant", "<{'a': <[1, 2]>}>"])
        #expect(call.output == "(<{'a': <[1, 2]>}>,)\n")
        let children = try bus.run(
            ["gdbus", "introspect", "--session", "--dest", "org.example.Test", "--object-path", "/org"])
        #expect(children.output.contains("node example {"))
    }

    @Test func peersThatAreNotOursSeeSignals() throws {
        let monitor = try bus.start(["busctl", "--user", "monitor", "org.example.Test"])
        var lines = ""
        let source = try bus.loop.watch(fd: monitor.output, .readable) { _ in
            lines += (try? monitor.readLine()) ?? ""
            lines += "\n"
        }
        try bus.turn(until: "the monitor") { lines.contains("Monitoring bus message stream.") }
        #expect(service.emit(ExampleObject.path, ExampleObject.name, "Happened", [.string("it's"), .uint32(2)]))
        service.propertiesChanged(ExampleObject.path, ExampleObject.name, ["Level"])
        try bus.turn(until: "the property") { lines.contains("STRING \"Level\"") && lines.contains("INT32 3;") }
        #expect(lines.contains("Path=/org/example/Test  Interface=org.example.Test1  Member=Happened"))
        #expect(lines.contains("MESSAGE \"su\" {\n          STRING \"it's\";\n          UINT32 2;\n  };"))
        #expect(lines.contains("Interface=org.freedesktop.DBus.Properties  Member=PropertiesChanged"))
        source.cancel()
    }
}
