import DBus
import EventLoop
import Glibc
import JSON
import TestSupport
import Testing

/// Runs wait for the conditions of their job, and start when these hold: with services that python-dbusmock plays.
@Suite(.ownThread) struct SurroundingsTests {
    private static let upower: BusName = "org.freedesktop.UPower"
    private static let upowerPath: ObjectPath = "/org/freedesktop/UPower"
    private static let upowerInterface: InterfaceName = "org.freedesktop.UPower"
    private static let manager: BusName = "org.freedesktop.NetworkManager"
    private static let managerPath: ObjectPath = "/org/freedesktop/NetworkManager"
    private static let managerInterface: InterfaceName = "org.freedesktop.NetworkManager"

    /// From the moment before the conditions come to hold to the process of the run, in seconds: on two cores that all
    /// tests share. Without the news it would never start.
    private static let startMax = 5.0

    /// It says when it runs.
    private static func job(_ conditions: JSONValue, _ more: JSONObject = [:]) -> JSONValue {
        var job: JSONObject = ["name": "waits", "command": ["date", "+%s.%N"], "conditions": conditions]
        for (key, value) in more { job[key] = value }
        return .object(job)
    }

    /// Asks for a run, and sees it wait.
    private func waitingRun(_ session: Session, _ text: String) throws -> String {
        let id = try session.json("run_job", "waits").text("execution_id")
        try session.look(for: "\(text) waited for") {
            try session.job("waits")["waiting_for"]?.compactText.contains(text) ?? false
        }
        return id
    }

    /// - Parameter delay: after the change, until the conditions hold; in seconds.
    private func startsNow(
        _ session: Session, _ id: String, after delay: Double = 0, by change: () throws -> Void
    ) throws {
        let begin = delay + Double(EventLoop.Clock.realtime.nowUSec) / 1e6
        try change()
        try session.signal("JobStarted", "waits", id)
        let run = try session.waitForRun(id)
        #expect(run["status"] == "success")
        // However long the news of it take to reach us on a busy machine.
        let start = try #require(Double(run.text("output_preview").filter { $0 != "\n" }), "\(run)")
        print("condition to process: \(Int((start - begin) * 1000)) ms")
        #expect(start - begin < Self.startMax, "\(start - begin) s")
    }

    // MARK: - Power

    @Test func aRunWaitsForMainsPowerWithoutAWakeUp() throws {
        let session = try Session(jobs: [Self.job(["ac_power": true])])
        let system = try SystemBus(session)
        try system.mock("upower", Self.upower)
        try system.update(Self.upower, Self.upowerPath, Self.upowerInterface, [("OnBattery", .bool(true))])
        let daemon = try session.start(isApart: true)
        let id = try waitingRun(session, "mains power")
        #expect(try session.run(id)["status"] == "queued")
        let why = try session.json("explain_job", "waits", "")
        #expect(why["reasons"]?.arrayValue?.first?["code"] == "condition", "\(why)")
        #expect(why.compactText.contains("mains power"))

        try session.waitForRest(daemon)

        try startsNow(session, id) {
            try system.update(Self.upower, Self.upowerPath, Self.upowerInterface, [("OnBattery", .bool(false))])
        }
    }

    @Test func aPlugThatFlapsStartsNothing() throws {
        let session = try Session(jobs: [Self.job(["ac_power": true])])
        let system = try SystemBus(session)
        try system.mock("upower", Self.upower)
        func plug(_ isIn: Bool) throws {
            try system.update(Self.upower, Self.upowerPath, Self.upowerInterface, [("OnBattery", .bool(!isIn))])
        }
        try plug(false)
        let daemon = try session.start(["--verbose"])
        let id = try waitingRun(session, "mains power")
        // What is seen first is believed at once.
        try session.wait("a first look") { daemon.text.contains("the surroundings are known") }
        var isFast = true
        for _ in 0..<20 {
            let begin = ProcessState.monotonicUSec
            try plug(true)
            try plug(false)
            // On a machine that is too busy this is no flapping, but a plug that was in for a while.
            if ProcessState.monotonicUSec - begin > 200_000 { isFast = false }
        }
        guard isFast else { return }
        try pass(0.6, session)
        let run = try session.run(id)
        #expect(run["status"] == "queued", "\(run)")
        try startsNow(session, id) { try plug(true) }
    }

    @Test func aRunWaitsForTheBattery() throws {
        let session = try Session(jobs: [Self.job(["battery_min": 50])])
        let system = try SystemBus(session)
        try system.mock("upower", Self.upower)
        func battery(_ percent: Double) throws {
            try system.update(
                Self.upower, "/org/freedesktop/UPower/devices/DisplayDevice", "org.freedesktop.UPower.Device",
                [("Percentage", .double(percent)), ("IsPresent", .bool(true))])
        }
        try battery(20)
        try session.start()
        let id = try waitingRun(session, "battery of at least 50")
        try battery(49)
        try pass(0.6, session)
        #expect(try session.run(id)["status"] == "queued")
        try startsNow(session, id) { try battery(50) }
    }

    @Test func whatCannotBeKnownHolds() throws {
        let session = try Session(jobs: [Self.job(["ac_power": true, "network": "unmetered", "battery_min": 50])])
        let daemon = try session.start()
        #expect(try session.runToEnd("waits")["status"] == "success")
        // The same on a bus where nobody is.
        let system = try SystemBus(session)
        try session.wait("the system bus found") { daemon.text.contains("logind is away") }
        #expect(try session.runToEnd("waits")["status"] == "success")
        _ = system
    }

    @Test func aServiceThatGoesAwayIsUnknown() throws {
        let session = try Session(jobs: [Self.job(["ac_power": true])])
        let system = try SystemBus(session)
        let mock = try system.mock("upower", Self.upower)
        try system.update(Self.upower, Self.upowerPath, Self.upowerInterface, [("OnBattery", .bool(true))])
        try session.start()
        let id = try waitingRun(session, "mains power")
        try startsNow(session, id) { mock.signal(SIGKILL) }
    }

    // MARK: - Network

    @Test func aRunWaitsForANetworkThatIsNotMetered() throws {
        let session = try Session(jobs: [Self.job(["network": "unmetered"])])
        let system = try SystemBus(session)
        try system.mock("networkmanager", Self.manager)
        func network(connectivity: UInt32, metered: UInt32) throws {
            try system.update(
                Self.manager, Self.managerPath, Self.managerInterface,
                [("Connectivity", .uint32(connectivity)), ("Metered", .uint32(metered))])
        }
        // The template has no such property.
        try system.define(Self.manager, Self.managerPath, Self.managerInterface, [("Metered", .uint32(0))])
        try network(connectivity: 1, metered: 0)
        try session.start()
        let id = try waitingRun(session, "network that is not metered")
        // Behind a portal; then online by a telephone, as NetworkManager guesses.
        for state: (UInt32, UInt32) in [(2, 2), (4, 3), (4, 1)] {
            try network(connectivity: state.0, metered: state.1)
            try pass(0.6, session)
            #expect(try session.run(id)["status"] == "queued", "\(state)")
        }
        try startsNow(session, id) { try network(connectivity: 4, metered: 4) }
    }

    @Test func networkdIsAskedWhereThereIsNoNetworkManager() throws {
        let name: BusName = "org.freedesktop.network1"
        let path: ObjectPath = "/org/freedesktop/network1"
        let interface: InterfaceName = "org.freedesktop.network1.Manager"
        let session = try Session(jobs: [Self.job(["network": "online"])])
        let system = try SystemBus(session)
        try system.mock(name, path, interface)
        try system.define(name, path, interface, [("OperationalState", .string("carrier"))])
        try session.start()
        let id = try waitingRun(session, "the network")
        try startsNow(session, id) {
            try system.update(name, path, interface, [("OperationalState", .string("routable"))])
        }
    }

    // MARK: - Idleness

    @Test func aRunWaitsUntilNobodyUsesTheMachine() throws {
        let name: BusName = "org.freedesktop.login1"
        let path: ObjectPath = "/org/freedesktop/login1"
        let user = try #require(ObjectPath("/org/freedesktop/login1/user/_\(getuid())"))
        let session = try Session(jobs: [Self.job(["idle": "60s"])])
        let system = try SystemBus(session)
        try system.mock(name, path, "org.freedesktop.login1.Manager")
        func idle(_ isIdle: Bool, forSeconds seconds: UInt64) -> [(String, DBusValue)] {
            [("IdleHint", .bool(isIdle)), ("IdleSinceHint", .uint64((UInt64(time(nil)) - seconds) * 1_000_000))]
        }
        try system.add(user, "org.freedesktop.login1.User", idle(false, forSeconds: 100), to: name, path)
        try session.start()
        let id = try waitingRun(session, "nobody to use the machine")
        // Idle, and not yet for so long.
        try system.update(name, user, "org.freedesktop.login1.User", idle(true, forSeconds: 10))
        try session.settle()
        #expect(try session.run(id)["status"] == "queued")
        try startsNow(session, id) {
            try system.update(name, user, "org.freedesktop.login1.User", idle(true, forSeconds: 70))
        }
    }

    @Test func aScreenSaverSaysThatNobodyUsesTheMachine() throws {
        let name: BusName = "org.freedesktop.ScreenSaver"
        let path: ObjectPath = "/org/freedesktop/ScreenSaver"
        let session = try Session(jobs: [Self.job(["idle": "1s", "path_exists": "~/there"])])
        let mock = try Program(
            ["/usr/bin/python3", "-m", "dbusmock", "--session", name.text, path.text, name.text],
            environment: session.environment, on: session.loop)
        try session.look(for: "the screen saver: \(mock.text)") {
            let ask = RemoteCall(
                .bus, "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner", [.string(name.text)])
            return try session.reply(ask).get() == [.bool(true)]
        }
        func emit(_ isActive: Bool) throws {
            _ = try session.reply(
                RemoteCall(
                    name, path, "org.freedesktop.DBus.Mock", "EmitSignal",
                    [
                        .string(name.text), "ActiveChanged", "b",
                        .array([.variant(.bool(isActive))], element: "v"),
                    ])
            ).get()
        }
        // Somebody waits for a path, too, so that the screen saver is listened to all the while.
        let daemon = try session.start(["--verbose"])
        let id = try session.json("run_job", "waits").text("execution_id")
        // It has asked the screen saver, which cannot tell, so it hears it, too.
        try session.wait("both facts looked at") { daemon.text.contains("the surroundings are known (facts=2)") }
        func waits(for texts: [String]) throws -> Bool {
            let awaited = try session.job("waits")["waiting_for"]?.arrayValue ?? []
            return awaited.count == texts.count && zip(awaited, texts).allSatisfy { $0.compactText.contains($1) }
        }
        try emit(false)
        try session.look(for: "both waited for") { try waits(for: ["nobody", "/there"]) }
        try TestFile.write("", to: session.scratch.path + "/home/there")
        try session.look(for: "only the idleness waited for") { try waits(for: ["nobody"]) }
        #expect(try session.run(id)["status"] == "queued")
        // From now on nobody uses it, and for a second it must have been so.
        try startsNow(session, id, after: 1) { try emit(true) }
    }

    // MARK: - What cannot be had

    /// It was in the log only.
    @Test func aRunThatMayNotKeepTheMachineAwakeSaysSo() throws {
        let session = try Session(jobs: [["name": "long", "command": ["sleep", "100"], "keep_awake": true]])
        let system = try SystemBus(session)
        let daemon = try session.start()
        try session.wait("the system bus found") { daemon.text.contains("logind is away") }
        let id = try session.json("run_job", "long").text("execution_id")
        let caveat: JSONValue = "the machine could not be kept awake: logind is away"
        try session.look(for: "its record") { try session.run(id)["caveat"] == caveat }
        let why = try session.json("explain_job", "long", "")["reasons"]?.arrayValue?.map { $0.text("code") }
        #expect(why?.prefix(2) == ["running", "caveat"], "\(String(describing: why))")
        try session.done("cancel_run", .string(id))
        let record = try session.waitForRun(id)
        #expect(record["status"] == "cancelled" && record["caveat"] == caveat, "\(record)")
        _ = system
    }

    @Test func aRunWhoseLimitsAreLessThanItsJobWantsSaysSo() throws {
        let session = try Session(jobs: [
            ["name": "limited", "command": ["true"], "resources": ["tasks_max": 50]],
            ["name": "nicer", "command": ["true"]],
        ])
        try session.start()
        let record = try session.runToEnd("limited")
        #expect(record["status"] == "success")
        #expect(record.text("caveat").contains("without a scope"), "\(record)")
        #expect(try session.runToEnd("nicer")["caveat"] == .null)
    }

    // MARK: - Files, commands, pressure

    @Test func aRunWaitsForAPath() throws {
        let session = try Session(jobs: [Self.job(["path_exists": "~/there/below/file"])])
        try session.start()
        let id = try waitingRun(session, "/there/below/file")
        try TestFile.makeFolder(session.scratch.path + "/home/there/below")
        try TestFile.write("", to: session.scratch.path + "/home/there/below/other")
        try session.settle()
        #expect(try session.run(id)["status"] == "queued")
        try startsNow(session, id) { try TestFile.write("", to: session.scratch.path + "/home/there/below/file") }
    }

    @Test func aCommandDecides() throws {
        let session = try Session(jobs: [
            Self.job(["command": ["sh", "-c", "echo asked $BOTCRON_JOB >> asked; exit 0"]]),
            ["name": "never", "command": ["true"], "conditions": ["command": "exit 1"], "conditions_timeout": 1],
            ["name": "broken", "command": ["true"], "conditions": ["command": ["/no/such/program"]]],
        ])
        try session.start()
        #expect(try session.runToEnd("waits")["status"] == "success")
        #expect(TestFile.text(session.scratch.path + "/home/asked") == "asked waits\n")
        let skipped = try session.runToEnd("never")
        #expect(skipped["status"] == "skipped")
        #expect(skipped["reason"] == "condition")
        // What cannot be known holds.
        #expect(try session.runToEnd("broken")["status"] == "success")
        // Nothing is left of them.
        try session.look(for: "no folder of a condition") {
            !ScratchFolder.names(in: session.stateFolder + "/runs").contains { $0.contains("condition") }
        }
    }

    /// The run was started after a minute, as if it had agreed.
    @Test func aCommandThatHangsIsGivenUpAndEnded() throws {
        let command = "trap '' TERM; echo $$ > asking; while :; do sleep 1; done"
        let session = try Session(jobs: [
            [
                "name": "waits", "command": ["true"], "conditions": ["command": .string(command)],
                "conditions_timeout": 1, "kill_grace": 0.2,
            ]
        ])
        let daemon = try session.start()
        let run = try session.waitForRun(try session.json("run_job", "waits").text("execution_id"))
        #expect(run["status"] == "skipped" && run["reason"] == "condition", "\(run)")
        let asking = try #require(pid_t(TestFile.text(session.scratch.path + "/home/asking").filter(\.isNumber)))
        try session.look(for: "the end of the command") { kill(asking, 0) != 0 }
        #expect(!daemon.text.contains("so it holds"), "\(daemon.text)")
    }

    @Test func conditionsThatDoNotComeToHoldAreGivenUpOrNot() throws {
        let session = try Session(jobs: [
            Self.job(["path_exists": "/no/such/path"], ["conditions_timeout": 1]),
            [
                "name": "runs", "command": ["true"], "conditions": ["path_exists": "/no/such/path"],
                "conditions_timeout": 1, "conditions_action": "run",
            ],
        ])
        try session.start()
        let skipped = try session.runToEnd("waits")
        #expect(skipped["status"] == "skipped")
        #expect(skipped["reason"] == "condition")
        #expect(skipped.text("error").contains("/no/such/path"), "\(skipped)")
        #expect(try session.runToEnd("runs")["status"] == "success")
    }

    /// Whatever the load of this machine is, 0 is exceeded by all work, and these bounds by none.
    @Test func loadAndPressureHaveBounds() throws {
        let session = try Session(jobs: [
            Self.job(["load_max": 100_000, "pressure_max": 100]),
            [
                "name": "never", "command": ["true"], "conditions": ["load_max": 0], "conditions_timeout": 1,
            ],
        ])
        try session.start()
        #expect(try session.runToEnd("waits")["status"] == "success")
        let status = try session.runToEnd("never")["status"]
        #expect(status == "skipped" || TestFile.text("/proc/loadavg").hasPrefix("0.00"))
    }

    /// The wait is the measurement.
    private func pass(_ seconds: Double, _ session: Session) throws {
        let end = ProcessState.monotonicUSec + UInt64(seconds * 1_000_000)
        try session.look(for: "the time to pass", seconds: seconds + 20) { ProcessState.monotonicUSec >= end }
    }
}
