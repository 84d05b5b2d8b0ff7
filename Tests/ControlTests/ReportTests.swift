import Configuration
import Glibc
import JSON
import Performing
import Schedules
import Scheduling
import TestSupport
import Testing

@testable import Control
@testable import DBus

/// What the daemon says of itself, what it announces, and the document of its interface.
@Suite struct ReportTests {
    private let stage: Stage

    init() throws {
        stage = try Stage()
        stage.scheduler.add("daily", next: Instant(seconds: 1_800_000_600))
    }

    @Test func statusSaysHowTheLoopDoes() throws {
        #expect(try stage.json("GetStatus")["config_error"] == .null)
        #expect(try stage.json("GetStatus")["clock"] == .null)
        stage.scheduler.health.turns = 7
        stage.scheduler.health.busyMillisecondsMax = 3.5
        stage.scheduler.health.lateMillisecondsMax = 12.5
        stage.scheduler.health.lateMillisecondsP99 = 1.25
        stage.scheduler.health.exempt = ["sync": (count: 3, millisecondsMax: 40.25)]
        stage.scheduler.clockStep = .init(at: Instant(seconds: 1_800_000_000), by: .seconds(-7200))
        stage.settings.configurationFault = ConfigurationError(
            operation: "parse", object: "/x/config.json", reason: "a comma is missing", line: 12, column: 5)
        stage.settings.refuse(["bad"])
        let status = try stage.json("GetStatus")
        #expect(
            status["loop"] == [
                "turns": 7, "busy_ms_max": 3.5, "late_ms_max": 12.5, "late_ms_p99": 1.25,
                "exempt": ["sync": ["count": 3, "ms_max": 40.25]],
            ])
        #expect(status["clock"]?["by_seconds"]?.doubleValue == -7200)
        #expect(status["config_error"]?["line"] == 12)
        #expect(status["config_error"]?["column"] == 5)
        #expect(status["config_error"]?["file"]?.stringValue == stage.settings.configurationPath)
        #expect(status["config_error"]?["sentence"]?.stringValue?.contains("a comma is missing") == true)
        #expect(status["refused_jobs"] == [["name": "bad", "error": "the reason of bad"]])
    }

    /// A broken config.json was told by a log line alone.
    @Test func healthSaysWhereTheConfigurationIsBroken() throws {
        let fine = try stage.json("HealthCheck")
        #expect(fine["healthy"] == true)
        #expect(fine["message"] == "Cron daemon is healthy")
        stage.settings.configurationFault = ConfigurationError(
            operation: "parse", object: "/x/config.json", reason: "a comma is missing", line: 12, column: 5)
        stage.settings.refuse(["bad", "worse"])
        let health = try stage.json("HealthCheck")
        #expect(health["healthy"] == false)
        #expect(health["checks"]?["config_valid"] == false)
        #expect(health["refused_jobs"] == 2)
        let message = health["message"]?.stringValue ?? ""
        let parts = [
            "Unhealthy: config_valid", "/x/config.json", "line 12, column 5", "2 jobs are refused", "bad, worse",
        ]
        for part in parts {
            #expect(message.contains(part), "\(part) in \(message)")
        }
    }

    @Test func aRefusedJobIsUnhealthyAndNamed() throws {
        let stage = try Stage()
        stage.settings.refuse(["bad"])
        let health = try stage.json("HealthCheck")
        #expect(health["healthy"] == false)
        #expect(health["checks"]?["config_valid"] == false)
        #expect(health["message"] == "Unhealthy: config_valid; 1 job is refused, list_jobs says why: bad")
        #expect(try stage.json("GetStatus")["refused_jobs"] == [["name": "bad", "error": "the reason of bad"]])
    }

    @Test func moreRefusedJobsThanCanBeShownAreCounted() throws {
        stage.settings.refuse((0..<Bounds.statusDetails + 5).map { "bad-\($0)" })
        let status = try stage.json("GetStatus")
        #expect(status["refused_jobs"]?.arrayValue?.count == Bounds.statusDetails)
        #expect(status["refused_count"] == .number(Bounds.statusDetails + 5))
    }

    @Test func theMirrorIsWrittenWhenWhatItSaysIsDurable() throws {
        let path = stage.folder + "/cron_state.json"
        stage.intake.isHolding = true
        stage.control.committed([])
        try stage.turn(until: "the timer") { stage.intake.waitingCount == 1 }
        #expect(access(path, F_OK) != 0)
        stage.intake.release()
        #expect(access(path, F_OK) == 0)
    }

    // MARK: - Announcements

    private func run(_ status: Run.Status) -> Run {
        Run(
            id: "run-1", job: "daily", skill: "", trigger: .manual, scheduledFor: nil, createdAt: .epoch, status: status
        )
    }

    @Test func signalsLeaveInOrderAndOnceMoreAsEvents() throws {
        var heard: [String] = []
        let subscription = stage.client.subscribe(MatchRule(interface: Stage.interface)) { signal in
            heard.append(
                signal.member.text + (signal.member == "Event" ? ":" + (signal.arguments[0].asString ?? "") : ""))
        }
        try stage.settle()
        var isForgotten = false
        stage.control.tell([.jobStarted(run(.running)), .jobCompleted(run(.success))]) {
            isForgotten = true
            #expect(heard.isEmpty)
        }
        try stage.turn(until: "the signals") { heard.count == 4 }
        #expect(isForgotten)
        #expect(heard == ["JobStarted", "JobCompleted", "Event:JobStarted", "Event:JobCompleted"])
        subscription.cancel()
    }

    @Test func withoutTheNameNothingIsToldAndNothingForgotten() throws {
        stage.service.isOnBus = false
        var heard = 0
        let subscription = stage.client.subscribe(MatchRule(interface: Stage.interface)) { _ in heard += 1 }
        try stage.settle()
        stage.control.tell([.jobStarted(run(.running))]) { Issue.record("the next daemon would not tell it") }
        try stage.settle()
        #expect(heard == 0)
        subscription.cancel()
    }

    /// A property whose change was decided and not yet committed was told with the next change of another.
    @Test func changedPropertiesAreToldWhenTheyAreDurable() throws {
        var heard: [DBusValue] = []
        let subscription = stage.client.subscribe(
            MatchRule(interface: "org.freedesktop.DBus.Properties", member: "PropertiesChanged")
        ) { heard += $0.arguments }
        try stage.settle()
        stage.control.turnEnded()
        stage.intake.isHolding = true
        try stage.settle()
        #expect(heard.isEmpty)
        stage.intake.release()
        // Either face tells it in a signal of its own.
        let told = DBusValue.properties([("NextRun", .string("2027-01-15T08:10:00+00:00"))])
        try stage.turn(until: "the change") { heard.contains(told) }
        #expect(heard.contains(told))
        subscription.cancel()
    }

    @Test func watchersHearOfJobsThatComeAndChangeAndGo() throws {
        var heard: [String] = []
        let subscription = stage.client.subscribe(MatchRule()) { signal in
            guard ["InterfacesAdded", "InterfacesRemoved", "PropertiesChanged"].contains(signal.member.text) else {
                return
            }
            heard.append(signal.member.text)
        }
        try stage.settle()
        func told(_ announcement: Announcement) throws -> Set<String> {
            heard = []
            stage.control.tell([announcement]) {}
            stage.control.turnEnded()
            try stage.settle()
            return Set(heard)
        }
        stage.scheduler.add("new")
        #expect(try told(.jobsChanged(added: ["new"], changed: [], removed: [])).contains("InterfacesAdded"))
        stage.scheduler.views["new"]?.isEnabled = false
        #expect(try told(.jobsChanged(added: [], changed: ["new"], removed: [])).contains("PropertiesChanged"))
        stage.scheduler.views["new"] = nil
        #expect(try told(.jobsChanged(added: [], changed: [], removed: ["new"])).contains("InterfacesRemoved"))
        stage.settings.refuse(["bad"])
        stage.control.definitionsChanged(["bad"])
        heard = []
        stage.control.turnEnded()
        try stage.settle()
        #expect(heard.contains("InterfacesAdded"))
        subscription.cancel()
    }

    // MARK: - The document

    /// The lines of an interface, without their indentation.
    private func lines(_ xml: String, _ name: String) throws -> [Substring] {
        let lines = xml.split(separator: "\n").map { $0.drop { $0 == " " || $0 == "\t" } }
        let first = try #require(lines.firstIndex { $0.hasPrefix("<interface name=\"\(name)\">") })
        let last = try #require(lines[first...].firstIndex { $0.hasPrefix("</interface>") })
        return Array(lines[first...last])
    }

    @Test func theDocumentsAreWhatIntrospectAnswers() throws {
        stage.scheduler.start("daily", id: "run-1")
        for (name, path) in [
            (Stage.interface.text, Stage.path), (Place.manager.text, Stage.path),
            (Place.job.text, Place.path(ofJob: "daily")), (Place.run.text, Place.path(ofRun: "run-1")),
        ] {
            let call = stage.remote("Introspect", [], "org.freedesktop.DBus.Introspectable", at: path)
            let told = try stage.call(call).get().first?.asString ?? ""
            let document = try TestFile.ownText(TestPlace.package + "/dbus/\(name).xml")
            #expect(try lines(document, name) == lines(told, name), "\(name)")
        }
    }
}
