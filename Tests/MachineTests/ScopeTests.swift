import JSON
import Testing

/// Runs as units of a real user manager.
@Suite(.serialized, .enabled(if: Machine.package != nil, "`make test-machine` runs these")) struct ScopeTests {
    private static let config = """
        {"schedules": {"timezone": "UTC", "jobs": [
            {"name": "long", "command": "echo $$ > /machine/pid; sleep 100 & sleep 100",
             "resources": {"tasks_max": 50, "memory_max": "1G", "nice": 3}},
            {"name": "stubborn", "kill_grace": 1,
             "command": "trap '' TERM; setsid sh -c 'trap \\"\\" TERM; sleep 99' & sleep 98"},
            {"name": "shows", "command": "sed -n s/^0:://p /proc/self/cgroup; echo $LATER $GONE $UNIT; nice",
             "resources": {"nice": 3}},
            {"name": "journal", "command": "echo to the journal", "journal_output": true},
            {"name": "clock", "cron": "* * * * * *", "enabled": false, "history_limit": 100,
             "command": "echo $LATER $(sed -n s/^0:://p /proc/self/cgroup)", "resources": {"tasks_max": 20}},
            {"name": "refused", "command": ["true"], "environment_file": "/etc/passwd"}
        ]}}
        """

    private func scopes(_ machine: Machine) throws -> [String] {
        let list = "systemctl --user list-units --plain --no-legend --all 'app-botcron-*' | cut -d' ' -f1"
        return try machine.run(list).split(separator: "\n").map(String.init)
    }

    @Test func eachAttemptHasAScopeThatGoesWithIt() throws {
        let machine = try Machine(config: Self.config)
        try machine.startDaemon()
        let id = try machine.start("long")
        let scope = try machine.run("systemd-escape '\(id)'").dropLast()
        try machine.wait("its scope") { try scopes(machine) == ["app-botcron-long-\(scope).scope"] }
        let properties = try machine.run(
            "systemctl --user show 'app-botcron-long-*' -P Slice -P TasksMax -P MemoryMax -P Description -P OOMPolicy")
        #expect(
            Set(properties.split(separator: "\n")) == ["app.slice", "50", "1073741824", "BotCron: long", "continue"])
        // Its supervisor, the shell, both sleeps.
        try machine.wait("all of it in the scope") {
            let group = "$(systemctl --user show 'app-botcron-long-*' -P ControlGroup)"
            return try machine.run("cat \"/sys/fs/cgroup\(group)/cgroup.procs\"").split(separator: "\n").count == 4
        }

        // A restart leaves it alone, and the next daemon ends it.
        let pid = try machine.run("cat /machine/pid")
        try machine.run("systemctl --user restart bot-cron.service")
        #expect(try machine.run("ps -o pid= -p \(pid)").contains(pid.dropLast()))
        try machine.run("botcronctl cancel \(id)")
        try machine.wait("its end") { try machine.runRecord(id)["status"] == "cancelled" }
        try machine.wait("no scope") { try scopes(machine).isEmpty }
    }

    @Test func whatIgnoresTermAndLeftItsSessionIsKilledWithTheRest() throws {
        let machine = try Machine(config: Self.config)
        try machine.startDaemon()
        let id = try machine.start("stubborn")
        try machine.wait("its processes") { try machine.run("pgrep -c sleep || true") == "2\n" }
        try machine.run("botcronctl cancel \(id)")
        try machine.wait("its end") { try machine.runRecord(id)["status"] == "cancelled" }
        #expect(try machine.runRecord(id)["signal"] == 9)
        #expect(try machine.run("pgrep -c sleep || true") == "0\n")
        #expect(try scopes(machine).isEmpty)
    }

    @Test func killedTogetherWithItsDaemonAScopeIsEndedByTheNextOne() throws {
        let machine = try Machine(config: Self.config)
        try machine.startDaemon()
        let id = try machine.start("stubborn")
        try machine.wait("its processes") { try machine.run("pgrep -c sleep || true") == "2\n" }
        try machine.run("systemctl --user kill -s KILL bot-cron.service; pkill -KILL botcron-run")
        try machine.wait("the end of the run") {
            try (try? machine.runRecord(id))?["status"] == "interrupted" && scopes(machine).isEmpty
        }
        #expect(try machine.run("pgrep -c sleep || true") == "0\n")
    }

    @Test func theEnvironmentIsTheSessionsOfTheMoment() throws {
        let machine = try Machine(config: Self.config)
        try machine.run(
            """
            systemctl --user set-environment GONE=stale
            mkdir -p ~/.config/systemd/user/bot-cron.service.d
            printf '[Service]\\nEnvironment=UNIT=own\\n' > ~/.config/systemd/user/bot-cron.service.d/own.conf
            systemctl --user daemon-reload
            """)
        try machine.startDaemon()
        try machine.run("systemctl --user set-environment LATER=new; systemctl --user unset-environment GONE")
        try machine.run("botcronctl run shows --wait")
        let lines = try machine.run("botcronctl logs shows").split(separator: "\n").map(String.init)
        #expect(lines.first?.contains("/app.slice/app-botcron-shows-") == true, "\(lines)")
        #expect(lines.dropFirst() == ["new own", "3"])
    }

    /// The supervisor of a run that is about to be due is in the run's scope before.
    @Test func scheduledRunsFindTheirScopesReady() throws {
        let machine = try Machine(config: Self.config)
        try machine.startDaemon()
        try machine.run("systemctl --user set-environment LATER=first; botcronctl enable clock")
        func outputs() throws -> [String] {
            try machine.history("clock").compactMap { $0["output_preview"]?.stringValue }
        }
        try machine.wait("a scope before its run") {
            guard let scope = try scopes(machine).first else { return false }
            // Asked afterwards: it is not of a run that has just ended either.
            let id = scope.dropFirst("app-botcron-clock-".count).dropLast(".scope".count)
            let known = try machine.history("clock").compactMap { $0["execution_id"]?.stringValue }
            return try !known.contains(String(machine.run("systemd-escape -u '\(id)'").dropLast()))
        }
        try machine.wait("runs") { try outputs().contains { $0.hasPrefix("first ") } }
        // The environment is that of the run's moment, not of its supervisor's.
        try machine.run("systemctl --user set-environment LATER=second")
        try machine.wait("runs with the new one") { try outputs().contains { $0.hasPrefix("second ") } }
        try machine.run("botcronctl disable clock")
        try machine.wait("no scope, used or not") { try scopes(machine).isEmpty }
        let records = try machine.history("clock")
        #expect(records.count >= 2)
        for run in records {
            let id = run["execution_id"]?.stringValue ?? ""
            let scope = try machine.run("systemd-escape '\(id)'").dropLast()
            let preview = run["output_preview"]?.stringValue ?? ""
            #expect(run["status"] == "success" && run["caveat"]?.stringValue == nil, "\(run)")
            #expect(preview.contains("/app.slice/app-botcron-clock-\(scope).scope"), "\(preview)")
        }
    }

    /// A scope whose supervisor is abandoned goes with it, be it on its way there; its name is free a moment later
    /// only.
    @Test func aRunThatIsPreparedForInVainHasAScopeAllTheSame() throws {
        let machine = try Machine(config: Self.config)
        try machine.startDaemon()
        try machine.run(
            """
            cat > toggle <<'END'
            toggle() {
                busctl --user call -q com.aiworkflow.BotCron /com/aiworkflow/BotCron com.aiworkflow.BotCron \
                    toggle_job sb clock $1
            }
            for round in {1..15}; do
                toggle true
                now=$((10#${EPOCHREALTIME#*[.,]}))
                printf -v rest '0.%06d' $(((1790000 + 2000 * round - now) % 1000000))
                sleep $rest
                toggle false; toggle true; toggle false; toggle true
            done
            END
            bash toggle
            botcronctl disable clock
            """, seconds: 60)
        try machine.wait("no scope, used or not") { try scopes(machine).isEmpty }
        let records = try machine.history("clock")
        let previews = records.map { $0["output_preview"]?.stringValue ?? "" }
        for (run, preview) in zip(records, previews) {
            #expect(run["status"] == "success" && run["caveat"]?.stringValue == nil, "\(run)")
            #expect(preview.contains("/app.slice/app-botcron-clock-"), "\(preview)")
        }
        #expect(previews.contains { $0.contains(".1.scope") }, "never in time: \(previews)")
    }

    /// Nobody else could let it begin.
    @Test func aDaemonThatStopsLetsBeginWhatIsOnRecord() throws {
        let machine = try Machine(config: Self.config)
        for _ in 0..<2 {
            try machine.startDaemon()
            // Both at once: the manager's answer about the scope comes later.
            try machine.run(
                """
                call() {
                    busctl --user call -q com.aiworkflow.BotCron /com/aiworkflow/BotCron com.aiworkflow.BotCron "$@" &
                    sleep 0.2
                }
                pid=$(systemctl --user show bot-cron.service -P MainPID)
                kill -STOP $pid
                call run_job s journal
                call Shutdown
                kill -CONT $pid
                wait
                """)
            try machine.wait("its end") {
                try machine.run("systemctl --user is-active bot-cron.service || true") == "inactive\n"
            }
        }
        try machine.startDaemon()
        try machine.wait("all of them over") {
            let records = try machine.history("journal")
            return records.count == 2 && records.allSatisfy { $0["status"] != "running" }
        }
        for run in try machine.history("journal") { #expect(run["status"] == "success", "\(run)") }
    }

    @Test func anAttemptThatCannotStartSaysWhy() throws {
        let machine = try Machine(config: Self.config)
        try machine.startDaemon()
        let id = try machine.start("refused")
        try machine.wait("its end") { try machine.runRecord(id)["status"] == "failed" }
        let error = try machine.runRecord(id)["error"]?.stringValue ?? ""
        #expect(error.contains("environment_file") && error.contains("/etc/passwd"), "\(error)")
        #expect(try scopes(machine).isEmpty)
    }

    @Test func outputGoesToTheJournalUnderItsJob() throws {
        let machine = try Machine(config: Self.config)
        try machine.startDaemon()
        try machine.run("botcronctl run journal --wait")
        try machine.wait("the entry") {
            try machine.run("sudo journalctl -o cat -t journal BOTCRON_JOB=journal") == "to the journal\n"
        }
        #expect(try machine.run("sudo journalctl -o json BOTCRON_JOB=journal").contains("cron-journal-"))
    }
}
