import Contract
import Glibc
import JSON
import Schedules
import Scheduling
import TestSupport
import Testing

@testable import botcronctl

/// Each look of the doctor, at a machine where it is well and at one where it is not.
@Suite struct DoctorTests {
    private let scratch: ScratchFolder

    init() throws { scratch = try ScratchFolder("botcronctl-doctor") }

    /// A machine of files below the scratch folder, where these commands say these things.
    private func patient(_ answers: [String: String] = [:], _ environment: [String: String] = [:]) -> Patient {
        var patient = Patient()
        patient.root = scratch.path
        let variables = ["HOME": scratch.path + "/home"].merging(environment) { $1 }
        patient.environment = { variables[$0] }
        patient.answer = { command in answers.first { command.hasPrefix($0.key) }?.value }
        return patient
    }

    @discardableResult
    private func write(_ text: String, to path: String, mode: mode_t = 0o644) throws -> String {
        let whole = scratch.path + "/" + path
        var folder = scratch.path
        for part in path.split(separator: "/").dropLast() {
            folder += "/" + part
            try TestFile.makeFolder(folder)
        }
        try TestFile.write(text, to: whole, mode: mode)
        return whole
    }

    private func verdicts(_ findings: [Finding]) -> [String] { findings.map { "\($0.name): \($0.verdict.rawValue)" } }

    // MARK: - The unit

    private static let show = "systemctl --user show bot-cron.service"

    private func unit(_ state: String, _ active: String, load: String = "loaded") -> String {
        "LoadState=\(load)\nUnitFileState=\(state)\nActiveState=\(active)\nFragmentPath=/u/bot-cron.service\n"
    }

    @Test(arguments: [
        ("enabled", "active", true, ["unit: good"]), ("disabled", "active", true, ["unit: warning"]),
        ("masked", "inactive", false, ["unit: bad", "unit's daemon: bad"]),
        ("enabled", "failed", false, ["unit: good", "unit's daemon: bad"]),
        ("enabled", "inactive", false, ["unit: good", "unit's daemon: bad"]),
        ("enabled", "inactive", true, ["unit: good", "unit's daemon: warning"]),
    ])
    func theUnitIsToBeEnabledAndRunning(_ state: String, _ active: String, _ isHere: Bool, _ expected: [String]) {
        let findings = patient([Self.show: unit(state, active)]).unitFindings(isHere: isHere)
        #expect(verdicts(findings) == expected)
        #expect(findings.allSatisfy { ($0.verdict == .good) == ($0.fix == nil) }, "\(findings)")
    }

    @Test func aUnitThatIsNotThereAndAManagerThatIsNotThere() {
        let unknown = patient([Self.show: unit("", "inactive", load: "not-found")])
        #expect(verdicts(unknown.unitFindings(isHere: false)) == ["unit: bad"])
        #expect(verdicts(unknown.unitFindings(isHere: true)) == ["unit: warning"])
        #expect(verdicts(patient().unitFindings(isHere: true)) == ["unit: note"])
    }

    @Test func whetherItOutlivesTheSession() {
        let query = "loginctl show-user \(getuid())"
        #expect(patient([query: "Linger=yes\n"]).lingerFindings().map(\.verdict) == [.good])
        let without = patient([query: "Linger=no\n"]).lingerFindings()
        #expect(without.map(\.verdict) == [.note] && without[0].fix == "loginctl enable-linger")
        #expect(patient().lingerFindings().isEmpty)
    }

    // MARK: - PATH and programs

    @Test func aFolderThatOnlyTheShellKnowsIsNamed() {
        let manager = ["systemctl --user show-environment": "LANG=C\nPATH=/usr/bin:/bin\n"]
        let same = patient(manager, ["PATH": "/bin:/usr/bin"]).pathFindings(pid: nil)
        #expect(same.map(\.verdict) == [.good])
        let more = patient(manager, ["PATH": "/opt/x/bin:/usr/bin:/home/me/.local/bin:/opt/x/bin"])
            .pathFindings(pid: nil)
        #expect(more.map(\.verdict) == [.warning])
        #expect(more[0].text.hasSuffix(": /opt/x/bin:/home/me/.local/bin"))
        #expect(more[0].fix?.hasPrefix("systemctl --user import-environment PATH") == true)
        #expect(patient([:], ["PATH": "/bin"]).pathFindings(pid: nil).isEmpty)
        #expect(patient().pathOfDaemon(pid: UInt32(getpid())) == getenv("PATH").map { String(cString: $0) })
    }

    private func job(_ name: String, _ action: Job.Action, notify: String = "[]") -> Job {
        var job = Job(name: name, registeredAt: .epoch, zone: .utc, action: action)
        job.notify = notify
        return job
    }

    @Test func aProgramThatTheDaemonDoesNotFindIsNamedWithWhoNeedsIt() throws {
        let bin = try write("#!/bin/sh\n", to: "bin/claude", mode: 0o755).dropLast("/claude".count)
        try write("", to: "bin/dull")
        let jobs = [
            job("a", .runner(["claude", "${prompt}"])), job("b", .command(["dull"])),
            job("c", .command(["dull", "x"])),
            job("d", .shell("whatever")), job("e", .runner(["${program}"])), job("f", .command(["./here"])),
            job("g", .script(interpreter: ["python9"], path: "x.py", arguments: [])), job("h", .command(["/bin/true"])),
        ]
        let doctor = patient([:], ["PATH": String(bin)])
        let findings = doctor.programFindings(of: jobs, pid: nil)
        #expect(findings.map(\.verdict) == [.bad, .bad])
        #expect(findings[0].text == "dull is not found by the daemon, and needed by 2 jobs: b, c")
        #expect(findings[1].text == "python9 is not found by the daemon, and needed by g")
        let good = doctor.programFindings(of: [jobs[0], jobs[7]], pid: nil)
        #expect(good == [Finding("programs", .good, "all are found: /bin/true, \(bin)/claude")])
        #expect(doctor.programFindings(of: [], pid: nil).isEmpty)
    }

    @Test func whoIsToBeToldIsNamed() {
        let jobs = [
            job("a", .shell(""), notify: #"["desktop", {"target": "slack", "on": ["failure"]}]"#),
            job("b", .shell(""), notify: #"["slack"]"#),
        ]
        let shown = patient().targetFindings(of: jobs, isShown: true)
        #expect(shown == [Finding("targets", .note, "named by jobs: desktop (1), slack (2)")])
        #expect(patient().targetFindings(of: jobs, isShown: false).map(\.verdict) == [.warning])
        #expect(patient().targetFindings(of: [jobs[1]], isShown: false).map(\.verdict) == [.note])
        #expect(patient().targetFindings(of: [job("c", .shell(""))], isShown: false).isEmpty)
    }

    // MARK: - Clocks and zones

    @Test func clocksAreSynchronisedAndHoldUTC() throws {
        try write("", to: "sys/class/rtc/rtc0/name")
        let good = ["clock: good", "hardware clock: good"]
        let synchronised = patient(["timedatectl show": "NTPSynchronized=yes\n"])
        #expect(verdicts(synchronised.clockFindings()) == good)
        try write("0.0 0 0.0\n0\nUTC\n", to: "etc/adjtime")
        #expect(verdicts(synchronised.clockFindings()) == good)
        try write("0.0 0 0.0\n0\nLOCAL\n", to: "etc/adjtime")
        let bad = patient(["timedatectl show": "NTPSynchronized=no\n"]).clockFindings()
        #expect(verdicts(bad) == ["clock: warning", "hardware clock: warning"])
        #expect(bad.map(\.fix) == ["timedatectl set-ntp true", "timedatectl set-local-rtc 0"])
    }

    @Test func aMachineWithoutAHardwareClockIsNoted() {
        #expect(verdicts(patient().clockFindings()) == ["clock: note", "hardware clock: note"])
    }

    @Test func zonesAreThere() throws {
        #expect(patient().zoneFindings().map(\.verdict) == [.bad])
        try write("", to: "usr/share/zoneinfo/Etc/UTC")
        try write("# version 2024a\nR A\n", to: "usr/share/zoneinfo/tzdata.zi")
        #expect(
            patient().zoneFindings() == [
                Finding("zone data", .good, "\(scratch.path)/usr/share/zoneinfo, version 2024a")
            ])
        #expect(patient([:], ["TZDIR": scratch.path + "/none"]).zoneFindings().map(\.verdict) == [.bad])
    }

    // MARK: - The store and its disk

    @Test func aStoreIsAsLongAsItSaysAndOurs() throws {
        let stage = try Stage()
        try stage.stopDaemon()
        let folder = stage.path("state")
        let file = folder + "/botcron.db"
        #expect(patient().storeFindings(in: folder).map(\.verdict) == [.good])
        let bytes = try #require(TestFile.bytes(file))
        func damage(_ change: (inout [UInt8]) -> Void) throws -> Finding {
            var damaged = bytes
            change(&damaged)
            // Not as text: these bytes are none.
            let handle = open(file, O_WRONLY | O_TRUNC | O_CLOEXEC)
            defer { close(handle) }
            #expect(Glibc.write(handle, damaged, damaged.count) == damaged.count)
            return try #require(patient().storeFindings(in: folder).first)
        }
        let cut = try damage { $0.removeLast($0.count / 2) }
        #expect(cut.verdict == .bad && cut.text.contains("bytes, and"), "\(cut)")
        #expect(try damage { $0[0] = 0 }.text.hasSuffix("it is no SQLite database"))
        #expect(try damage { $0[68] = 1 }.text.hasSuffix("it is another program's"))
        #expect(try damage { $0.removeLast($0.count - 50) }.text.hasSuffix("it is too short"))
        #expect(try damage { _ in }.verdict == .good)
        #expect(patient().storeFindings(in: scratch.path).map(\.verdict) == [.note], "none is there yet")
    }

    @Test func aDiskHasRoom() {
        #expect(Patient.diskFinding("/d", free: 1 << 40, freeFiles: 1 << 20).verdict == .good)
        #expect(Patient.diskFinding("/d", free: 1 << 40, freeFiles: nil).verdict == .good)
        #expect(Patient.diskFinding("/d", free: 100 << 20, freeFiles: nil).verdict == .warning)
        #expect(Patient.diskFinding("/d", free: 1 << 20, freeFiles: nil).verdict == .bad)
        #expect(Patient.diskFinding("/d", free: 1 << 40, freeFiles: 3).verdict == .bad)
        // What is not made yet will be below what is there.
        let finding = patient().diskFindings(of: scratch.path + "/none/yet").first
        #expect(finding?.text.hasPrefix(scratch.path + " has ") == true, "\(String(describing: finding))")
    }

    // MARK: - Leftovers

    @Test func whatAnEarlierInstallationHasLeftIsNamed() throws {
        #expect(patient().leftoverFindings().map(\.verdict) == [.good])
        let first = try write("1", to: "a/botcronctl", mode: 0o755)
        let second = try write("2", to: "b/botcronctl", mode: 0o755)
        symlink(first, scratch.path + "/link")
        let stale = try write(
            "[D-BUS Service]\nName=com.aiworkflow.BotCron\nExec=/gone/botcrond --x\n",
            to: "home/.local/share/dbus-1/services/com.aiworkflow.BotCron.service")
        try write(
            "[D-BUS Service]\nName=org.example.Other\nExec=/gone/other\n",
            to: "home/.local/share/dbus-1/services/org.example.Other.service")
        let old = try write(
            "[Service]\nBusName=com.aiworkflow.BotCron\nExecStart=/usr/bin/python3 -m cron_daemon\n",
            to: "home/.config/systemd/user/cron-daemon.service")
        let gone = try write(
            "[Service]\nBusName=com.aiworkflow.BotCron\nExecStart=/gone/botcrond\n",
            to: "usr/lib/systemd/user/bot-cron.service")
        try write("[Service]\nExecStart=/usr/bin/other\n", to: "etc/systemd/user/other.service")
        let history = try write("[]", to: "home/.config/aa-workflow/cron_history.json")
        let path = ["a", "b", "a"].map { "\(scratch.path)/\($0)" }.joined(separator: ":")
        let findings = patient([:], ["PATH": path]).leftoverFindings()
        #expect(
            verdicts(findings) == [
                "second copy: warning", "D-Bus service file: warning", "old unit: warning", "old unit: warning",
                "old history: note",
            ])
        #expect(findings[0].text.hasSuffix(": \(first), \(second)"))
        #expect(findings[1].fix == "rm \(stale)")
        #expect(findings[2].text.hasPrefix("\(old) starts another daemon"))
        #expect(findings[3].text.hasPrefix("\(gone) would start /gone/botcrond"))
        #expect(findings[4].text.hasPrefix(history))
    }

    // MARK: - What the daemon says

    private func daemon(_ surroundings: String, status: String = "{}") throws -> DaemonFindings {
        DaemonFindings(
            health: ["surroundings": try JSONValue(parsing: surroundings)], status: try JSONValue(parsing: status))
    }

    @Test func whatIsAbsentIsNoFaultUnlessAJobWantsIt() throws {
        let away = try daemon(
            #"[{"name": "wake-up alarms", "serves": false, "text": "no right"}, {"name": "logind", "serves": true}]"#)
        #expect(verdicts(away.all(wakers: [], faults: [])) == ["wake-up alarms: note", "logind: good"])
        let wanted = away.all(wakers: ["night"], faults: [])
        #expect(wanted[0].verdict == .warning && wanted[0].text.hasSuffix("wanted by night"))
        #expect(!away.showsNotifications)
        let broken = try daemon(
            #"[{"name": "configuration", "serves": false, "text": "x"}, {"name": "store", "serves": false}]"#)
        #expect(broken.all(wakers: [], faults: []).map(\.verdict) == [.bad, .bad])
    }

    @Test func anOlderDaemonThatStillRunsIsNamed() throws {
        let old = try daemon("[]", status: #"{"version": "0.0.1", "status": "running"}"#)
        #expect(old.all(wakers: [], faults: []).map(\.verdict) == [.warning])
        let own = try daemon("[]", status: #"{"version": "\#(botcronVersion)", "status": "running"}"#)
        #expect(own.all(wakers: [], faults: []).map(\.verdict) == [.good])
    }

    // MARK: - The whole

    @Test func withoutADaemonItSaysAllThatCanBeSaid() throws {
        let stage = try Stage(nil)
        let outcome = try stage.control("doctor")
        #expect(outcome.code == 69, "\(outcome)")
        #expect(outcome.output.contains("daemon  no daemon runs on this bus"), "\(outcome)")
        #expect(outcome.output.contains("mend: start it: systemctl --user start bot-cron.service"), "\(outcome)")
        #expect(outcome.output.contains("zone data  /usr/share/zoneinfo"), "\(outcome)")
        let away = try stage.control("doctor", "--bus", "unix:path=/nonexistent/bus")
        #expect(away.code == 69 && away.output.contains("bus  "), "\(away)")
    }

    @Test func theExitCodeSaysTheWorst() throws {
        let stage = try Stage(#"{"schedules": {"jobs": [{"name": "one", "command": ["true"]}]}}"#)
        let well = try stage.control("doctor")
        #expect(!well.output.split(separator: "\n").contains { $0.hasPrefix("bad") }, "\(well)")
        #expect(well.code == 0, "\(well)")
        try stage.write(
            #"{"schedules": {"jobs": [{"name": "one", "command": ["no-such-program"]}]}}"#, to: "config.json")
        _ = try stage.control("reload")
        let ill = try stage.control("doctor", "--json")
        #expect(ill.code == 1)
        let bad = try JSONValue(parsing: ill.output).arrayValue?.filter { $0["verdict"] == "bad" } ?? []
        #expect(bad.map { $0.text("text") } == ["no-such-program is not found by the daemon, and needed by one"])
        #expect(bad.allSatisfy { !$0.text("fix").isEmpty })
    }
}
