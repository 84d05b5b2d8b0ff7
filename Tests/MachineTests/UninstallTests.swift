import JSON
import TestSupport
import Testing

/// What `make uninstall` does about what runs and is enabled, with a real user manager.
@Suite(.serialized, .enabled(if: Machine.package != nil, "`make test-machine` runs these")) struct UninstallTests {
    @Test func rootTakesTheUnitOutOfForceForOtherUsers() throws {
        let machine = try Machine(
            config: #"{"schedules": {"timezone": "UTC", "jobs": [{"name": "lasting", "command": ["sleep", "1000"]}]}}"#)
        #expect(try TestProgram.run(["cp", TestPlace.package + "/.make/leave", machine.folder]).code == 0)
        try machine.run("systemctl --user enable --now bot-cron.service")
        let run = try machine.start("lasting")
        try machine.wait("the job running") { try machine.runRecord(run)["status"] == "running" }
        let leave = "sudo env -u XDG_RUNTIME_DIR HOME=/root /machine/leave /usr/local/lib/systemd/user /usr/local"
        let said = try machine.run(leave)
        #expect(said.contains("bot-cron.service was enabled for user;"), "\(said)")
        #expect(said.contains("bot-cron.service runs for user;"), "\(said)")
        #expect(!said.contains("still"), "\(said)")
        #expect(try machine.run("systemctl --user is-enabled bot-cron.service || true") == "disabled\n")
        #expect(try machine.run("systemctl --user is-active bot-cron.service || true") == "inactive\n")
        try machine.run("pgrep -f 'sleep 1000'")
        // Nothing is left to be said.
        #expect(try machine.run(leave) == "")

        // Somebody whose manager is not there has it enabled still.
        try machine.run(
            """
            sudo useradd --create-home --uid 9999 away
            sudo mkdir -p /home/away/.config/systemd/user/default.target.wants
            sudo ln -s /usr/local/lib/systemd/user/bot-cron.service /home/away/.config/systemd/user/default.target.wants/
            """)
        #expect(
            try machine.run(leave)
                == "still enabled: rm /home/away/.config/systemd/user/default.target.wants/bot-cron.service\n")
    }
}
