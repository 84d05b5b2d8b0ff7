import Glibc
import JSON
import TestSupport
import Testing

/// The Debian package on a machine: installed, upgraded, removed.
@Suite(.serialized, .enabled(if: Machine.package != nil, "`make test-machine` runs these")) struct PackageTests {
    /// The package as `make deb` made it.
    fileprivate static let file = getenv("BOTCRON_MACHINE_DEB").map { String(cString: $0) } ?? ""

    private let machine: Machine

    init() throws {
        machine = try Machine(
            config: #"{"schedules": {"timezone": "UTC", "jobs": [{"name": "lasting", "command": ["sleep", "1000"]}]}}"#)
        let copy = try TestProgram.run(["cp", Self.file, machine.folder + "/botcron.deb"])
        #expect(copy.code == 0, "BOTCRON_MACHINE_DEB: \(copy.errors)")
        // What `make install` put there would take precedence; a policy of this system's own forbids its services.
        try machine.run(
            "sudo rm -rf /usr/sbin/policy-rc.d /usr/local/bin/botcron* /usr/local/lib/systemd/user/bot-cron.service "
                + "/usr/local/share/dbus-1/services/com.aiworkflow.BotCron.service; systemctl --user daemon-reload")
    }

    private func install() throws { try machine.run("sudo dpkg --force-confold -i /machine/botcron.deb") }

    private func enabled() throws -> String {
        try machine.run("systemctl --user is-enabled bot-cron.service || true").filter { $0 != "\n" }
    }

    @Test func anUpgradeRestartsTheDaemonsThatRunAndNoOther() throws {
        try install()
        try machine.run("systemctl --user daemon-reload")
        #expect(try enabled() == "disabled")
        // For whoever does not run it, it is not started.
        try install()
        #expect(try machine.daemonPID() == "0\n")

        // The first question starts it.
        let run = try machine.start("lasting")
        let first = try machine.daemonPID()
        #expect(first != "0\n")
        try machine.wait("the job running") { try machine.runRecord(run)["status"] == "running" }
        try install()
        try machine.wait("another daemon") {
            let now = try machine.daemonPID()
            return now != first && now != "0\n"
        }
        #expect(try machine.runRecord(run)["status"] == "running")
        #expect(try enabled() == "disabled")

        try machine.run("sudo dpkg --remove botcron")
        #expect(try machine.run("systemctl --user is-active bot-cron.service || true") != "active\n")
        try machine.run("pgrep -f 'sleep 1000'; ! command -v botcrond")
        try machine.run("sudo dpkg --purge botcron; test -e ~/.local/state/aa-workflow/botcron.db")
    }

    /// A policy of the machine against starts holds for the restart, too.
    @Test func whereAPolicyForbidsItNothingIsRestarted() throws {
        try install()
        try machine.run("systemctl --user daemon-reload; systemctl --user start bot-cron.service")
        let first = try machine.daemonPID()
        try machine.run(
            "printf '#!/bin/sh\\nexit 101\\n' | sudo tee /usr/sbin/policy-rc.d; sudo chmod 755 /usr/sbin/policy-rc.d")
        try install()
        #expect(try machine.daemonPID() == first)
    }
}

/// The package as a file: these boot no machine.
@Suite(.serialized, .enabled(if: Machine.package != nil, "`make test-machine` runs these")) struct PackageFileTests {
    @Test func lintianFindsNoErrorAndNoWarning() throws {
        let outcome = try TestProgram.run(["lintian", "--allow-root", "--fail-on", "error,warning", PackageTests.file])
        #expect(outcome.code == 0, "\(outcome)")
    }

    /// The same programs make the same bytes. To make it again takes half a minute, so this is one of the long tests.
    @Test(.enabled(if: getenv("BOTCRON_LONG_TESTS") != nil, "`make test-long` runs this"))
    func thePackageIsReproducible() throws {
        let first = try TestProgram.run(["sha256sum", PackageTests.file]).output
        let again = try TestProgram.run(
            [TestPlace.package + "/.make/deb"], environment: nil, seconds: 3 * TestProgram.deadlineSeconds)
        #expect(again.code == 0 && again.output == PackageTests.file + "\n", "\(again)")
        #expect(try TestProgram.run(["sha256sum", PackageTests.file]).output == first)
    }
}
