import Glibc
import TestSupport
import Testing

@testable import DBus
@testable import EventLoop

/// Names, signals, peers, and losing the bus.
@Suite struct ConnectionTests {
    private let bus: PrivateBus

    init() throws {
        bus = try PrivateBus()
    }

    // MARK: - Connecting

    @Test(arguments: ["", "nonsense", "unix:path=/nowhere/at/all", "tcp:host=", "unix:", "a\0b", "unix:path=%zz"])
    func anAddressWithoutABusIsAnErrorThatSaysSo(_ address: String) throws {
        let error = #expect(throws: DBusError.self) { try Connection(to: .address(address), loop: bus.loop) }
        #expect(error?.kind == .cannotConnect)
        #expect(error?.description.contains("cannot connect") == true)
    }

    @Test func theGreetingGivesAUniqueName() throws {
        let connection = try Connection(to: .address(bus.address), loop: bus.loop)
        var count = 0
        connection.onConnected = { count += 1 }
        #expect(connection.uniqueName == nil)
        try bus.turn(until: "the greeting") { count == 1 }
        #expect(connection.uniqueName?.isUnique == true)
        try bus.settle(connection)
        #expect(count == 1)
    }

    @Test func anIdleConnectionDoesNotWake() throws {
        let connection = try bus.serve([ExampleObject().exported])
        try bus.settle(connection)
        try bus.turnWhileReady()
        let before = bus.loop.iterationCount
        #expect(try !bus.loop.runOnce(timeoutUSec: 300_000))
        #expect(bus.loop.iterationCount == before + 1)
    }

    @Test func lastWordsAreSaidAfterTheLoopHasEnded() throws {
        let service = try bus.serve([ExampleObject().exported])
        let listener = try bus.start(["busctl", "--user", "monitor", "org.example.Test"])
        while try listener.readLine() != "Monitoring bus message stream." {}
        let stop = try bus.loop.deferred { bus.loop.exit(0) }
        stop.schedule()
        _ = try bus.loop.run()
        service.propertiesChanged(ExampleObject.path, ExampleObject.name, ["Level"])
        // More than the socket takes at once, so that libdbus asks the loop for a writable socket.
        for _ in 0..<20 {
            let text = String(repeating: "x", count: 100_000)
            #expect(service.emit(ExampleObject.path, ExampleObject.name, "Happened", [.string(text), .uint32(1)]))
        }
        service.emit(ExampleObject.path, ExampleObject.name, "Happened", [.string("goodbye"), .uint32(1)])
        #expect(service.flush(timeoutMSec: 20_000))
        while try listener.readLine() != "          STRING \"goodbye\";" {}
        service.close()
    }

    @Test func aLostBusIsToldOnceAndEndsWhatWaits() throws {
        let connection = try bus.serve([])
        var reasons: [String] = []
        connection.onDisconnected = { reasons.append($0) }
        let silent = try bus.connect()
        var answers: [Result<[DBusValue], ErrorReply>] = []
        let name = try #require(silent.uniqueName)
        var never: [MethodCall] = []
        silent.export(ExportedObject("/", [Interface("a.b", methods: [Method("Never") { never.append($0) }])]))
        connection.call(RemoteCall(name, "/", nil, "Never", timeoutMSec: nil)) { answers.append($0) }
        try bus.turn(until: "the call") { never.count == 1 }
        bus.kill()
        try bus.turn(until: "the end of the bus") { !reasons.isEmpty && !silent.isOpen }
        #expect(answers.count == 1)
        #expect(reasons.count == 1)
        #expect(!connection.isOpen)
        guard case .failure(let error) = answers[0] else { throw TestFailure("an answer: \(answers)") }
        #expect([ErrorName.noReply, .disconnected].contains(error.name))

        // Of no more use, and harmless.
        connection.call(.toBus("ListNames")) { answers.append($0) }
        #expect(answers.count == 1)
        try bus.turn(until: "the refusal") { answers.count == 2 }
        guard case .failure(let refusal) = answers[1] else { throw TestFailure("an answer: \(answers)") }
        #expect(refusal.name == .disconnected)
        #expect(!connection.emit("/", "a.b", "C", []))
        never.removeFirst().reply()
        connection.flush()
        connection.close()
        #expect(try !bus.loop.runOnce(timeoutUSec: 0))
    }

    @Test func closingInsideAHandlerIsSafe() throws {
        var service: Connection? = try bus.connect()
        let name = try #require(service?.uniqueName)
        let method = Method("Leave") { call in
            call.reply()
            service?.close()
            service = nil
        }
        service?.export(ExportedObject("/", [Interface("a.b", methods: [method])]))
        let client = try bus.connect()
        var answered = 0
        for _ in 0..<5 {
            client.call(RemoteCall(name, "/", nil, "Leave")) { _ in answered += 1 }
        }
        try bus.turn(until: "the answers") { answered == 5 }
        #expect(service == nil)
    }

    @Test func aDroppedConnectionLeavesTheBus() throws {
        var connection: Connection? = try bus.connect()
        let name = try #require(connection?.uniqueName)
        let other = try bus.connect()
        weak let weakly = connection
        connection = nil
        #expect(weakly == nil)
        var isGone = false
        let watch = other.watch(peer: name) { isGone = true }
        try bus.turn(until: "its end") { isGone }
        watch.cancel()
    }

    @Test func closingLetsGoOfWhatWaits() throws {
        var connection: Connection? = try bus.connect()
        let peer = try bus.connect()
        var kept: [MethodCall] = []
        peer.export(ExportedObject("/", [Interface("a.b", methods: [Method("Never") { kept.append($0) }])]))
        weak let weakly = connection
        let held = connection
        connection?.call(RemoteCall(try #require(peer.uniqueName), "/", nil, "Never")) { [connection] _ in
            Issue.record("answered after close: \(String(describing: connection))")
        }
        try bus.turn(until: "the call") { kept.count == 1 }
        held?.close()
        kept.removeFirst().reply()
        connection = nil
        try bus.settle(peer)
        try bus.turnWhileReady()
        // `held` is the last reference: the pending call's handler no longer has one.
        #expect(weakly === held)
        withExtendedLifetime(held) {}
    }

    // MARK: - Calling

    @Test func anUnansweredCallTimesOut() throws {
        let connection = try bus.connect()
        let silent = try bus.connect()
        var kept: [MethodCall] = []
        silent.export(ExportedObject("/", [Interface("a.b", methods: [Method("Never") { kept.append($0) }])]))
        let call = RemoteCall(try #require(silent.uniqueName), "/", nil, "Never", timeoutMSec: 50)
        guard case .failure(let error) = try bus.call(connection, call) else { throw TestFailure("an answer") }
        #expect(error.name == .noReply)
        kept.removeFirst().reply()
        try bus.settle(connection)
    }

    @Test func aCancelledCallIsNotAnswered() throws {
        let connection = try bus.connect()
        let pending = connection.call(.toBus("ListNames")) { _ in Issue.record("a cancelled call was answered") }
        #expect(pending.isWaiting)
        pending.cancel()
        #expect(!pending.isWaiting)
        try bus.settle(connection)
    }

    @Test func anUnstartableServiceIsUnknown() throws {
        let connection = try bus.connect()
        for startsService in [true, false] {
            let call = RemoteCall("org.example.None", "/", nil, "X", startsService: startsService)
            guard case .failure(let error) = try bus.call(connection, call) else { throw TestFailure("an answer") }
            #expect([ErrorName.serviceUnknown, .nameHasNoOwner].contains(error.name))
        }
    }

    @Test func aCommandLineClientWaitsWithoutTheLoop() throws {
        let connection = try Connection(to: .address(bus.address), loop: bus.loop)
        guard case .success(let values) = connection.callAndWait(.toBus("GetId")) else { throw TestFailure("no id") }
        #expect(values.first?.asString?.count == 32)
        let error = connection.callAndWait(RemoteCall("org.example.None", "/", nil, "X"))
        #expect(
            error
                == .failure(
                    ErrorReply(.serviceUnknown, "The name org.example.None was not provided by any .service files")))
        // The greeting's reply was put aside meanwhile.
        try bus.turn(until: "the greeting") { connection.uniqueName != nil }
        bus.kill()
        guard case .failure = connection.callAndWait(.toBus("GetId")) else { throw TestFailure("an answer") }
    }

    // MARK: - Names

    @Test func aTakenNameIsSaidWithItsOwner() throws {
        let first = try bus.serve([])
        let second = try bus.connect()
        var result: NameRequestResult?
        second.requestName("org.example.Test") { result = $0 }
        try bus.turn(until: "the refusal") { result != nil }
        #expect(result == .exists)
        var owners: [NameOwner?] = []
        second.owner(of: "org.example.Test") { owners.append($0) }
        try bus.turn(until: "the owner") { owners.count == 1 }
        #expect(owners == [NameOwner(uniqueName: try #require(first.uniqueName), pid: UInt32(getpid()))])
        second.owner(of: "org.example.None") { owners.append($0) }
        try bus.turn(until: "no owner") { owners.count == 2 }
        #expect(owners[1] == nil)
        first.requestName("org.example.Test") { result = $0 }
        try bus.turn(until: "the answer") { result == .alreadyOwner }
    }

    @Test func aNameThatWasTakenAwayIsTold() throws {
        let first = try bus.connect()
        let second = try bus.connect()
        var lost: [BusName] = []
        first.onNameLost = { lost.append($0) }
        var results: [NameRequestResult] = []
        first.requestName("org.example.Test", [.allowReplacement, .doNotQueue]) { results.append($0) }
        try bus.turn(until: "the name") { results.count == 1 }
        second.requestName("org.example.Test", [.replaceExisting, .doNotQueue]) { results.append($0) }
        try bus.turn(until: "the loss") { results.count == 2 && !lost.isEmpty }
        #expect(results == [.primaryOwner, .primaryOwner])
        #expect(lost == ["org.example.Test"])
    }

    // MARK: - Signals

    @Test func signalsReachWhoAskedForThem() throws {
        let service = try bus.serve([ExampleObject().exported])
        let client = try bus.connect()
        var heard: [String] = []
        func listen(_ label: String, _ rule: MatchRule) -> Subscription {
            client.subscribe(rule) { heard.append("\(label) \($0.arguments)") }
        }
        let rule = MatchRule(
            sender: "org.example.Test", path: ExampleObject.path, interface: ExampleObject.name, member: "Happened")
        var subscriptions = [listen("all", rule)]
        var narrow = rule
        narrow.firstArgument = "b"
        subscriptions.append(listen("b", narrow))
        narrow.path = "/other"
        subscriptions.append(listen("other", narrow))
        try bus.settle(client)
        for text in ["a", "b"] {
            #expect(service.emit(ExampleObject.path, ExampleObject.name, "Happened", [.string(text), .uint32(1)]))
        }
        try bus.turn(until: "three deliveries") { heard.count == 3 }
        try bus.settle(client)
        let (a, b): ([DBusValue], [DBusValue]) = ([.string("a"), .uint32(1)], [.string("b"), .uint32(1)])
        #expect(heard == ["all \(a)", "all \(b)", "b \(b)"])
        subscriptions = []
        try bus.settle(client)
        service.emit(ExampleObject.path, ExampleObject.name, "Happened", [.string("c"), .uint32(1)])
        try bus.settle(service)
        try bus.settle(client)
        #expect(heard.count == 3)
    }

    /// Anybody may address a signal to us; it must not pass for the one that we wait for.
    @Test func aSignalFromSomebodyElseIsNotTakenForTheOwners() throws {
        let client = try bus.connect()
        var heard: [DBusValue] = []
        let subscription = client.subscribe(MatchRule(sender: "org.example.Test", path: "/", interface: "a.b")) {
            heard += $0.arguments
        }
        let stranger = try bus.connect()
        let name = try #require(client.uniqueName)
        stranger.emit("/", "a.b", "C", [.string("before the owner")], to: name)
        try bus.settle(stranger)
        let owner = try bus.serve([])
        stranger.emit("/", "a.b", "C", [.string("stranger")], to: name)
        try bus.settle(stranger)
        owner.emit("/", "a.b", "C", [.string("owner")])
        try bus.turn(until: "the signal") { !heard.isEmpty }
        let release = RemoteCall(
            .bus, "/org/freedesktop/DBus", "org.freedesktop.DBus", "ReleaseName", [.string("org.example.Test")])
        _ = try bus.call(owner, release)
        owner.emit("/", "a.b", "C", [.string("no longer the owner")], to: name)
        try bus.settle(owner)
        try bus.settle(client)
        #expect(heard == [.string("owner")])
        subscription.cancel()
    }

    @Test func aSignalThatIsNotAsDeclaredIsNotSent() throws {
        let service = try bus.serve([ExampleObject().exported])
        var faults: [String] = []
        service.onFault = { faults.append($0) }
        let (path, interface) = (ExampleObject.path, ExampleObject.name)
        #expect(!service.emit(path, interface, "Happened", [.string("a")]))
        #expect(!service.emit(path, interface, "Happened", [.uint32(1), .string("a")]))
        #expect(!service.emit(path, interface, "Unheard", []))
        #expect(!service.emit(path, interface, "Happened", [.string("a\0b"), .uint32(1)]))
        #expect(faults.count == 4)
        #expect(service.emit(path, interface, "Happened", [.string("a"), .uint32(1)]))
    }

    @Test func aPeerThatVanishesIsTold() throws {
        let watcher = try bus.connect()
        var peers = try (0..<3).map { _ in try bus.connect() }
        let names = try peers.map { try #require($0.uniqueName) }
        var gone: [String] = []
        var watches = names.map { name in watcher.watch(peer: name) { gone.append("\(name)") } }
        watches.append(watcher.watch(peer: names[0]) { gone.append("\(names[0]) again") })
        try bus.settle(watcher)
        watches[1].cancel()
        for peer in peers { peer.close() }
        peers = []
        try bus.turn(until: "their end") { gone.count == 3 }
        try bus.settle(watcher)
        #expect(Set(gone) == ["\(names[0])", "\(names[0]) again", "\(names[2])"])
        // One that had gone before.
        let late = watcher.watch(peer: names[1]) { gone.append("late") }
        try bus.turn(until: "the late one") { gone.last == "late" }
        late.cancel()
        watches = []
    }

    // MARK: - Bounds

    @Test func aBusThatDoesNotReadCostsOnlySoMuchMemory() throws {
        let service = try bus.serve([])
        let text = DBusValue.string(String(repeating: "x", count: 1 << 20))
        bus.pause()
        var count = 0
        while service.droppedCount == 0, count < 1000 {
            service.emit("/", "a.b", "C", [text])
            count += 1
        }
        #expect(service.droppedCount == 1)
        #expect(service.outgoingBytes >= Connection.outgoingBytesMax)
        #expect(service.outgoingBytes < Connection.outgoingBytesMax + (2 << 20))
        var answer: Result<[DBusValue], ErrorReply>?
        service.call(.toBus("ListNames")) { answer = $0 }
        try bus.turn(until: "the refusal") { answer != nil }
        guard case .failure(let error) = answer else { throw TestFailure("an answer") }
        #expect(error.name == .limitsExceeded)
        #expect(!service.flush(timeoutMSec: 20))
        bus.resume()
        #expect(service.flush(timeoutMSec: 20_000))
        try bus.turn(until: "an empty queue") { service.outgoingBytes == 0 }
        try bus.settle(service)
    }
}
