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
        #expect(try busctl("call", "toggle", "ss", "daily", "false") == "b false\n")
        #expect(try busctl("call", "toggle", "sb", "daily", "true") == "b true\n")
        #expect(try busctl("call", "history") == "i 20\n")
        service.close()
    }
}
