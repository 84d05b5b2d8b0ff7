import Contract
import DBus
import EventLoop
import Glibc
import JSON
import TestSupport
import Testing

@testable import Client

/// Calls, signals and presence, against a daemon of the test's own on a private bus.
@Suite struct ClientTests {
    private let bus: Bus

    init() throws { bus = try Bus() }

    /// The error that a call ends with.
    private func error(_ body: () throws -> Void) -> ClientError? {
        do {
            try body()
            return nil
        } catch {
            return error as? ClientError
        }
    }

    // MARK: - Answers

    @Test func anAnswerHasTheValuesOfTheCall() throws {
        let daemon = try FakeDaemon(
            on: bus,
            [
                .getJob: { $0.reply(json: "{\"name\": \"\($0.firstText)\"}") },
                .getOutput: { $0.reply([.bytes([1, 0, 255]), .int64(3)]) },
            ])
        defer { daemon.leave() }
        let client = try bus.client()
        #expect(try client.json(.getJob, [.text("tea")]) == ["name": "tea"])
        let output = try client.answer(.getOutput, [.text("run"), .int64(0), .uint32(10)])
        #expect(output[0]?.bytes == [1, 0, 255] && output[1]?.integer == 3 && output[2] == nil)
        #expect(try client.property("Version").text == "7")
    }

    @Test func answersComeInTheOrderThatTheDaemonGivesThem() throws {
        var kept: [MethodCall] = []
        let daemon = try FakeDaemon(on: bus, [.getJob: { kept.append($0) }])
        defer { daemon.leave() }
        let client = try bus.client()
        var heard: [String] = []
        for name in ["a", "b", "c"] {
            client.call(.getJob, [.text(name)]) { heard.append((try? $0.get()[0]?.text) ?? "none") }
        }
        #expect(heard.isEmpty)
        try bus.turn(until: "three calls") { kept.count == 3 }
        for call in kept.reversed() { call.reply(json: call.firstText) }
        try bus.turn(until: "three answers") { heard.count == 3 }
        #expect(heard == ["c", "b", "a"])
    }

    @Test func whatIsCancelledIsNotAnswered() throws {
        var kept: [MethodCall] = []
        let daemon = try FakeDaemon(on: bus, [.getJob: { kept.append($0) }, .ping: { $0.reply(json: "pong") }])
        defer { daemon.leave() }
        let client = try bus.client()
        let early = client.call(.getJob, [.text("a")]) { _ in Issue.record("a call that was cancelled was answered") }
        early.cancel()
        let late = client.call(.getJob, [.text("b")]) { _ in Issue.record("a call that was cancelled was answered") }
        try bus.turn(until: "the second call") { kept.contains { $0.firstText == "b" } }
        late.cancel()
        for call in kept { call.reply(json: "{}") }
        #expect(try client.answer(.ping).text() == "pong")
    }

    @Test(arguments: ["", "{", "nothing", "{} {}"])
    func anAnswerThatIsNoJSONIsUnreadable(_ text: String) throws {
        let daemon = try FakeDaemon(on: bus, [.getJob: { $0.reply(json: text) }])
        defer { daemon.leave() }
        let client = try bus.client()
        let found = error { _ = try client.json(.getJob, [.text("")]) }
        guard case .unreadableAnswer(.getJob, _) = found else { return #expect(Bool(false), "\(found as Any)") }
        #expect(found?.exitCode == 1 && found?.sentence.contains("get_job") == false)
    }

    // MARK: - Errors

    /// Every error that the daemon may answer with keeps its name, its exit code and its message on the way.
    @Test(arguments: ServiceError.allCases)
    func aRefusalIsTheDaemonsOwnError(_ refusal: ServiceError) throws {
        let daemon = try FakeDaemon(on: bus, [.getJob: { $0.fail(refusal, "because") }])
        defer { daemon.leave() }
        let client = try bus.client()
        let found = error { try client.answer(.getJob, [.text("")]) }
        #expect(found == .refused(.service(refusal), message: "because"))
        #expect(found?.name == refusal.name && found?.exitCode == refusal.exitCode && found?.sentence == "because")
    }

    @Test func aMethodThatTheDaemonDoesNotKnowIsSaidAsThat() throws {
        let daemon = try FakeDaemon(on: bus, [:])
        defer { daemon.leave() }
        let client = try bus.client()
        let found = error { try client.answer(.queryJobs, [.text("{}")]) }
        #expect(found?.isUnknownMethod == true && found?.advice.first?.contains("older") == true)
    }

    @Test func withoutADaemonNothingIsWaitedFor() throws {
        let client = try bus.client()
        #expect(error { try client.answer(.ping) } == .noDaemon)
        #expect(error { try client.answer(.ping, starting: .never) } == .noDaemon)
        #expect(error { _ = try client.property("Version") } == .noDaemon)
    }

    @Test func withoutABusTheAddressIsNamed() throws {
        let loop = try EventLoop()
        let found = error { _ = try Client(to: "unix:path=/nonexistent/bus", loop: loop) }
        guard case .noBus(let reason) = found else { return #expect(Bool(false), "\(found as Any)") }
        #expect(reason.contains("/nonexistent/bus") && found?.exitCode == ExitCode.unavailable)
    }

    @Test func aDaemonThatLeavesIsNotOneThatIsSlow() throws {
        var kept: [MethodCall] = []
        let daemon = try FakeDaemon(on: bus, [.getJob: { kept.append($0) }])
        let client = try bus.client()
        let slow = error { try client.answer(.getJob, [.text("")], timeout: .seconds(0.05)) }
        #expect(slow == .timedOut(.getJob, seconds: 0.05) && slow?.exitCode == ExitCode.timedOut)
        var result: Result<Answer, ClientError>?
        client.call(.getJob, [.text("")]) { result = $0 }
        try bus.turn(until: "the call") { kept.count == 2 }
        daemon.leave()
        try bus.turn(until: "the end of the call") { result != nil }
        guard case .failure(.lost(.getJob)) = result else { return #expect(Bool(false), "\(result as Any)") }
    }

    @Test func aLostBusEndsEveryCallAndIsToldOnce() throws {
        var kept: [MethodCall] = []
        let daemon = try FakeDaemon(on: bus, [.getJob: { kept.append($0) }])
        defer { daemon.leave() }
        let client = try bus.client()
        var told = 0
        client.onDisconnected = { _ in told += 1 }
        var errors: [ClientError] = []
        for _ in 0..<3 {
            client.call(.getJob, [.text("")], timeout: .forever) {
                if case .failure(let error) = $0 { errors.append(error) }
            }
        }
        try bus.turn(until: "the calls") { kept.count == 3 }
        bus.end()
        try bus.turn(until: "the end of the calls") { errors.count == 3 && told == 1 }
        for error in errors {
            guard case .disconnected = error else { return #expect(Bool(false), "\(error)") }
            #expect(error.exitCode == ExitCode.unavailable && error.advice.first?.contains("try again") == true)
        }
        // Afterwards as well.
        guard case .disconnected = self.error({ try client.answer(.ping) }) else {
            return #expect(Bool(false), "a call over a bus that is gone")
        }
    }

    /// No sentence and no advice names a method of the bus: people type verbs.
    @Test func noSentenceOfOurOwnNamesAMethod() {
        let all: [ClientError] =
            [
                .noBus(reason: "r"), .disconnected(reason: "r"), .noDaemon, .cannotStart(name: "n", reason: "r"),
                .internal(reason: "r"),
            ]
            + MethodName.allCases.flatMap { method -> [ClientError] in
                [
                    .timedOut(method, seconds: 3), .lost(method), .unreadableAnswer(method, reason: "r"),
                    .refused(.other(name: BusError.unknownMethod.name), message: "m"),
                ]
            }
        for error in all {
            for line in [error.sentence] + error.advice {
                for method in MethodName.allCases where method.rawValue.contains("_") {
                    #expect(!line.contains(method.rawValue), "\(line)")
                }
            }
            #expect(error.exitCode != ExitCode.success)
        }
    }

    // MARK: - Starting the daemon

    /// A bus that starts the daemon by a program which never takes the name, as a broken installation has it: the end
    /// is the bus's, and is said as what it is.
    @Test func aDaemonThatCannotBeStartedIsSaidAsThat() throws {
        let scratch = try ScratchFolder("botcron-client")
        defer { withExtendedLifetime(scratch) {} }
        let folder = scratch.path
        func write(_ text: String, _ name: String) throws {
            guard let file = fopen("\(folder)/\(name)", "w") else { throw TestFailure("fopen: errno \(errno)") }
            fputs(text, file)
            fclose(file)
        }
        try write("[D-BUS Service]\nName=\(Address.busName)\nExec=/bin/false\n", "daemon.service")
        try write(
            """
            <busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><servicedir>\(folder)</servicedir>
            <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
            <allow own="*"/></policy></busconfig>
            """, "bus.conf")
        let broken = try Bus(configuration: "\(folder)/bus.conf")
        let client = try broken.client()
        // All who ask meanwhile wait for the one start.
        var errors: [ClientError] = []
        for _ in 0..<3 {
            client.call(.ping) { if case .failure(let error) = $0 { errors.append(error) } }
        }
        try broken.turn(until: "the end of the start") { errors.count == 3 }
        guard case .cannotStart(let name, _) = errors[0] else { return #expect(Bool(false), "\(errors)") }
        #expect(name.hasPrefix("org.freedesktop.DBus.Error.Spawn"))
        #expect(errors[0].exitCode == ExitCode.unavailable && Set(errors).count == 1)
        // Who only looks starts nothing.
        #expect(error { try client.answer(.ping, starting: .never) } == .noDaemon)
    }

    // MARK: - Signals and presence

    @Test func signalsComeWithTheirValues() throws {
        let daemon = try FakeDaemon(on: bus, [.ping: { $0.reply(json: "pong") }])
        defer { daemon.leave() }
        let client = try bus.client()
        var heard: [DaemonSignal] = []
        let signals = client.subscribe { heard.append($0) }
        // The answer of the bus to the rules comes before that of the daemon.
        try client.answer(.ping)
        daemon.emit("JobStarted", [.string("tea"), .string("run-1")])
        daemon.emit("JobRetrying", [.string("tea"), .uint32(2), .double(1.5)])
        daemon.emit("JobsChanged", [.strings(["a", "b"])])
        try bus.turn(until: "three signals") { heard.count == 3 }
        #expect(heard.map(\.member) == ["JobStarted", "JobRetrying", "JobsChanged"])
        #expect(heard[0][1]?.text == "run-1" && heard[0][2] == nil)
        #expect(heard[1][1]?.integer == 2 && heard[1][2]?.real == 1.5)
        #expect(heard[2][0]?.texts == ["a", "b"])
        signals.cancel()
        daemon.emit("JobStarted", [.string("tea"), .string("run-2")])
        try client.answer(.ping)
        #expect(heard.count == 3)
    }

    @Test func presenceFollowsTheDaemon() throws {
        let client = try bus.client()
        var seen: [Presence] = []
        let watch = client.watchPresence { seen.append($0) }
        try bus.turn(until: "nobody") { seen == [.away] }
        let first = try FakeDaemon(on: bus, [:])
        try bus.turn(until: "the daemon") { seen.count == 2 }
        first.leave()
        try bus.turn(until: "its end") { seen.count == 3 }
        let second = try FakeDaemon(on: bus, [:])
        try bus.turn(until: "the next one") { seen.count == 4 }
        defer { second.leave() }
        #expect(seen[1].owner != nil && seen[2] == .away && seen[3].owner != nil && seen[1] != seen[3])
        // Who comes later hears at once.
        var late: [Presence] = []
        let other = client.watchPresence { late.append($0) }
        #expect(late == [seen[3]])
        withExtendedLifetime((watch, other)) {}
    }
}
