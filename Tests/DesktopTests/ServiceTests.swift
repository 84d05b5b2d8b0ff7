import DBus
import EventLoop
import TestSupport
import Testing

@testable import Desktop

/// Services of the system bus, played by python-dbusmock on a bus of the test's own.
@Suite struct ServiceTests {
    private static let upower: BusName = "org.freedesktop.UPower"
    private static let manager: BusName = "org.freedesktop.NetworkManager"
    private static let managerPath: ObjectPath = "/org/freedesktop/NetworkManager"
    private static let networkd: BusName = "org.freedesktop.network1"
    private static let networkdPath: ObjectPath = "/org/freedesktop/network1"

    /// NMState, NMConnectivityState, NMMetered, and what they mean.
    private struct Answer {
        var state, connectivity, metered: UInt32
        var isOnline: Bool?
        var isMetered: Bool
    }

    @Test func whatNobodyTellsIsKnownToBeUnknown() throws {
        let bus = try MockBus()
        bus.link.connect()
        var known = 0
        let power = Power(bus.link) { known += 1 }
        let network = Network(bus.link) { known += 1 }
        #expect(!power.isKnown && !network.isKnown, "it is being asked")
        try bus.turn(until: "both") { known == 2 }
        #expect(power.isKnown && power.isOnBattery == nil && power.batteryPercent == nil)
        #expect(network.isKnown && network.isOnline == nil && network.isMetered == nil)
    }

    @Test func upowerTellsOfPlugAndBatteryAndGoes() throws {
        let bus = try MockBus()
        try bus.mock("--template upower", Self.upower)
        let power = Power(bus.link) {}
        bus.link.connect()
        try bus.turn(until: "the first answer") { power.isOnBattery == false }
        // The template's display device is no battery until it is told.
        #expect(power.batteryPercent == nil || power.batteryPercent == 0)
        func update(_ path: ObjectPath, _ interface: InterfaceName, _ properties: [(String, DBusValue)]) throws {
            try bus.tell(Self.upower, path, "UpdateProperties", .string(interface.text), .properties(properties))
        }
        try update("/org/freedesktop/UPower", "org.freedesktop.UPower", [("OnBattery", .bool(true))])
        try update(
            "/org/freedesktop/UPower/devices/DisplayDevice", "org.freedesktop.UPower.Device",
            [("Percentage", .double(42.5)), ("IsPresent", .bool(true))])
        try bus.turn(until: "the battery") { power.isOnBattery == true && power.batteryPercent == 42.5 }
        try update(
            "/org/freedesktop/UPower/devices/DisplayDevice", "org.freedesktop.UPower.Device",
            [("IsPresent", .bool(false))])
        try bus.turn(until: "no battery") { power.batteryPercent == nil }
        bus.killMocks()
        try bus.turn(until: "nobody to ask") { power.isOnBattery == nil }
        #expect(power.isKnown)
    }

    @Test func networkManagersAnswersAreRead() throws {
        let bus = try MockBus()
        try bus.mock("--template networkmanager", Self.manager)
        func set(_ properties: [(String, DBusValue)], _ method: MemberName = "UpdateProperties") throws {
            let interface = DBusValue.string("org.freedesktop.NetworkManager")
            try bus.tell(Self.manager, Self.managerPath, method, interface, .properties(properties))
        }
        try set([("Metered", .uint32(0))], "AddProperties")
        var tells = 0
        let network = Network(bus.link) { tells += 1 }
        bus.link.connect()
        try bus.turn(until: "the first answer") { tells == 1 }
        let answers = [
            // Connectivity tells more than the state: behind a portal, limited, none.
            Answer(state: 70, connectivity: 4, metered: 4, isOnline: true, isMetered: false),
            Answer(state: 70, connectivity: 2, metered: 1, isOnline: false, isMetered: true),
            Answer(state: 70, connectivity: 3, metered: 3, isOnline: false, isMetered: true),
            Answer(state: 70, connectivity: 1, metered: 2, isOnline: false, isMetered: false),
            // Where it is not checked, the state does.
            Answer(state: 70, connectivity: 0, metered: 0, isOnline: true, isMetered: false),
            Answer(state: 60, connectivity: 0, metered: 1, isOnline: false, isMetered: true),
            Answer(state: 0, connectivity: 0, metered: 0, isOnline: nil, isMetered: false),
        ]
        for answer in answers {
            let before = tells
            try set([
                ("State", .uint32(answer.state)), ("Connectivity", .uint32(answer.connectivity)),
                ("Metered", .uint32(answer.metered)),
            ])
            try bus.turn(until: "\(answer)") { tells > before }
            #expect(network.isOnline == answer.isOnline && network.isMetered == answer.isMetered, "\(answer)")
        }
    }

    @Test func networkdsAnswersAreRead() throws {
        let bus = try MockBus()
        let interface: InterfaceName = "org.freedesktop.network1.Manager"
        try bus.mock("\(Self.networkd) \(Self.networkdPath) \(interface)", Self.networkd)
        func set(_ properties: [(String, DBusValue)], _ method: MemberName = "UpdateProperties") throws {
            try bus.tell(
                Self.networkd, Self.networkdPath, method, .string(interface.text), .properties(properties))
        }
        try set([("OnlineState", .string("?")), ("OperationalState", .string("carrier"))], "AddProperties")
        var tells = 0
        let network = Network(bus.link) { tells += 1 }
        bus.link.connect()
        try bus.turn(until: "the first answer") { tells == 1 }
        #expect(network.isOnline == false)
        let answers: [(online: String, operational: String, isOnline: Bool)] = [
            ("online", "degraded", true), ("offline", "routable", false), ("partial", "carrier", true),
            ("unknown", "routable", true), ("unknown", "degraded", false),
        ]
        for answer in answers {
            let before = tells
            try set([("OnlineState", .string(answer.online)), ("OperationalState", .string(answer.operational))])
            try bus.turn(until: "\(answer)") { tells > before }
            #expect(network.isOnline == answer.isOnline, "\(answer)")
            #expect(network.isMetered == nil, "networkd does not know")
        }
    }

    // MARK: - logind

    private static let logind: BusName = "org.freedesktop.login1"
    private static let logindPath: ObjectPath = "/org/freedesktop/login1"

    @Test func aSleepIsToldAndBothLocksAreTaken() throws {
        let bus = try MockBus()
        try bus.mock("--template logind", Self.logind)
        let login = LoginManager(bus.link, who: "test", why: "to see")
        var told: [String] = []
        login.onSleep = { told.append("sleep") }
        login.onWake = { told.append("wake") }
        bus.link.connect()
        try bus.turn(until: "both locks") { login.isWatching && login.holdsSleepLock && login.holdsShutdownLock }
        func prepare(_ isSleep: Bool) throws {
            try bus.tell(
                Self.logind, Self.logindPath, "EmitSignal", .string("org.freedesktop.login1.Manager"),
                .string("PrepareForSleep"), .string("b"), .array([.variant(.bool(isSleep))], element: "v"))
        }
        try prepare(true)
        try bus.turn(until: "the sleep") { told == ["sleep"] }
        // It is for us to say when we are ready.
        #expect(login.isAsleep && login.holdsSleepLock)
        login.releaseSleepLock()
        #expect(!login.holdsSleepLock && login.holdsShutdownLock)
        try prepare(false)
        try bus.turn(until: "a new lock") { told == ["sleep", "wake"] && login.holdsSleepLock }
        // One that goes away in a sleep will not tell its end.
        try prepare(true)
        try bus.turn(until: "another sleep") { login.isAsleep }
        bus.killMocks()
        try bus.turn(until: "awake without it") { !login.isWatching }
        #expect(told == ["sleep", "wake", "sleep", "wake"])
    }

    @Test func aMachineThatCannotBeKeptAwakeIsRefusedWithTheReason() throws {
        let bus = try MockBus()
        // There, and knows no Inhibit.
        try bus.mock("\(Self.logind) \(Self.logindPath) org.freedesktop.login1.Manager", Self.logind)
        let login = LoginManager(bus.link, who: "test", why: "to see")
        var refusals: [String] = []
        login.onRefusal = { refusals.append("\($0): \($1)") }
        bus.link.connect()
        try bus.turn(until: "logind found") { login.isWatching }
        login.keepAwake(for: "run", why: "it runs")
        try bus.turn(until: "the refusal") { refusals.count == 1 }
        #expect(refusals[0].hasPrefix("run: ") && refusals[0].contains("Inhibit"), "\(refusals)")
        bus.killMocks()
        try bus.turn(until: "logind gone") { !login.isWatching }
        login.keepAwake(for: "other", why: "it runs")
        #expect(refusals.last == "other: logind is away")
    }
}
