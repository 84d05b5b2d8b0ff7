import Glibc
import JSON
import TestSupport
import Testing

/// A day in the life of an agent, on a machine with a desktop: each of the things that may come between it and its work
/// does, one after the other, and at the end the history tells it.
@Suite(.serialized, .enabled(if: Machine.package != nil, "`make test-machine` runs these")) struct DayTests {
    /// Writes down how it is called. It asks before it does anything; then its quota is used up; the next run works.
    private static let agent = """
        #!/bin/sh
        echo "$1 $BOTCRON_SOURCE $BOTCRON_EXECUTION_ID $(date +%s.%N) reads $(cat)" >> /machine/calls
        [ "$1" = triage ] || exit 0
        if [ ! -e ~/allowed ]; then
            echo 'ask {"question": "Delete 40 mails?", "choices": ["Allow", "Deny"], "timeout": "1h"}' \
                >&$BOTCRON_CONTEXT_FD
            read -r line <&$BOTCRON_ANSWER_FD
            echo "$line" >> /machine/answers
            case $line in *'"Allow"'*) touch ~/allowed ;; *) exit 5 ;; esac
            echo 'hold 15s' >&$BOTCRON_CONTEXT_FD
            echo "the quota is used up" >&2
            exit 1
        fi
        rm ~/inbox
        echo 'result {"deleted": 40}' >&$BOTCRON_CONTEXT_FD
        """

    private static let config = """
        {"schedules": {"timezone": "UTC", "wake_settle": 0, "wake_spread": 0, "execution_mode": "agent",
         "runners": {"agent": {"command": ["/machine/agent", "${skill}"]}},
         "jobs": [
            {"name": "triage", "cron": "*/2 * * * * *", "skill": "triage", "precheck": "cat ~/inbox || exit 1",
             "notify": ["desktop"], "result_queue": "triaged", "on_success": ["tidy"]},
            {"name": "digest", "skill": "digest"},
            {"name": "tidy", "command": "echo all is tidy"},
            {"name": "report", "trigger": {"queue": "triaged"}, "command": "cat"}
         ]}}
        """

    @Test func anAgentFindsAsksWaitsSleepsRecoversAndHandsOn() throws {
        let machine = try Machine(config: Self.config, sleepSeconds: 2)
        try TestFile.write(Self.agent + "\n", to: machine.folder + "/agent", mode: 0o755)
        let desktop = try NotificationServer(on: machine)
        try machine.startDaemon()

        // Nothing to do: no process, and a record that says so.
        try machine.wait("a fire time without work") { try !machine.history("triage").isEmpty }
        let idle = try #require(try machine.history("triage").first)
        #expect(idle["status"] == "skipped" && idle["reason"] == "nothing_to_do", "\(idle)")
        #expect(machine.lines("calls").isEmpty)

        // Something to do, and a question first.
        try machine.run("echo 40 mails > ~/inbox")
        try machine.wait("the question") { try machine.ctl("questions").arrayValue?.isEmpty == false }
        let asking = try #require(try machine.ctl("questions").arrayValue?.first?["execution_id"]?.stringValue)
        #expect(machine.lines("calls").count == 1 && machine.lines("calls")[0].hasSuffix("reads 40 mails"))
        #expect(machine.lines("calls").first?.hasPrefix("triage cron \(asking) ") == true)
        try machine.wait("the notification") { try desktop.shownCount() == 1 }
        let offered = try desktop.press("Allow")
        #expect(offered.contains { $0.hasPrefix("#Deny (triage asks)") }, "\(offered)")
        try machine.wait("its answer") { !machine.lines("answers").isEmpty }
        #expect(machine.lines("answers") == [#"answer {"choice": "Allow", "by": "desktop"}"#])

        // Its quota is used up: it fails, and its group waits.
        try machine.wait("the hold") { try machine.ctl("status")["holds"]?[0] != nil }
        try machine.wait("the failure") { try machine.runRecord(asking)["status"] == "failed" }
        let hold = try #require(try machine.ctl("status")["holds"]?[0])
        let until = try #require(hold["until"]?.stringValue)
        let end = try #require(Double(try machine.run("date -d '\(until)' +%s.%N").dropLast()))
        #expect(hold["group"] == "agent" && hold["execution_id"]?.stringValue == asking, "\(hold)")
        let digest = try machine.start("digest")
        try machine.wait("both waiting") { try machine.ctl("status")["holds"]?[0]?["waiting"] == 2 }
        let sentence = "the group agent is held until \(until), as \(asking) said"
        let why = try machine.run("botcronctl why digest")
        #expect(why.contains("\(digest) waits: \(sentence)"), "\(why)")
        let going = try #require(try machine.history("triage").first { $0["status"] == "queued" })
        let next = try #require(going["execution_id"]?.stringValue)
        #expect(try machine.run("botcronctl why triage").contains("\(next) waits: \(sentence)"))

        // The machine sleeps meanwhile, and wakes.
        try machine.suspend()
        #expect(machine.slept.count == 1 && machine.woke[0] < end, "it was to wake before the hold ends")
        #expect(machine.lines("calls").count == 1)

        // It goes on when the hold is over, and not before; so does the other one.
        #expect(try machine.ctl("wait \(next)")["status"] == "success")
        #expect(try machine.ctl("wait \(digest)")["status"] == "success")
        let calls = machine.lines("calls").dropFirst().map { $0.split(separator: " ").map(String.init) }
        #expect(Set(calls.map { $0[2] }) == [next, digest], "\(calls)")
        for call in calls {
            let late = (Double(call[3]) ?? 0) - end
            #expect(late >= 0 && late < 2, "\(call) started \(late) s after the end of the hold")
        }
        #expect(calls.contains { $0[0] == "triage" && $0[2] == next && $0.suffix(3) == ["reads", "40", "mails"] })

        // That it works again is shown, and what it found goes to the next job, once.
        try machine.wait("the report") { try machine.history("report").first?["status"] == "success" }
        let report = try #require(try machine.history("report").first)
        let eater = report["execution_id"]?.stringValue ?? ""
        let item = try JSONValue(parsing: try machine.run("botcronctl logs \(eater)"))
        #expect(item["execution_id"]?.stringValue == next && item["result"] == ["deleted": 40], "\(item)")
        #expect(try machine.ctl("queue list").arrayValue?.isEmpty == true)
        try machine.wait("a fire time without work again") {
            try machine.history("triage").first?["reason"] == "nothing_to_do"
        }
        #expect(try machine.history("report").count == 1 && machine.lines("calls").count == 3)
        let shown = try desktop.history()
        #expect(
            shown.contains { $0.hasPrefix("triage works again: after 1 failed run since ") }, "\(shown)")
        #expect(shown.contains("triage failed: exited with status 1: the quota is used up"), "\(shown)")

        try tellsTheDay(machine, asking: asking, next: next, idle: idle)
    }

    /// What a person reads in the evening.
    private func tellsTheDay(_ machine: Machine, asking: String, next: String, idle: JSONValue) throws {
        let tree = try machine.run("botcronctl history --tree -n 1000").split(separator: "\n").map(String.init)
        func line(_ run: String) throws -> String { try #require(tree.first { $0.contains(" \(run) ") }, "\(tree)") }
        #expect(try line(asking).hasSuffix("exited with status 1: the quota is used up"))
        #expect(try line(next).contains(/^triage .* success .* exit 0$/))
        // What follows stands below it, and says so by where it stands.
        let place = try #require(tree.firstIndex { $0.contains(" \(next) ") })
        #expect(tree[place + 1].contains(/^└─ tidy .* success .* exit 0$/), "\(tree[place + 1])")
        #expect(tree.contains { $0.contains(/^report .* success .* exit 0$/) })
        #expect(tree.contains { $0.hasSuffix("its precheck found nothing to do, nothing_to_do") })
        // While it waited its next fire times had no room.
        #expect(tree.contains { $0.hasPrefix("triage ") && $0.hasSuffix(" overlap") })

        func why(_ job: String, at time: JSONValue?) throws -> String {
            try machine.run("botcronctl why \(job) --at '\(time?.stringValue ?? "")'")
        }
        let quiet = try why("triage", at: idle["scheduled_for"])
        #expect(quiet.contains("its precheck found nothing to do"), "\(quiet)")
        let failed = try why("triage", at: try machine.runRecord(asking)["scheduled_for"])
        #expect(failed.contains("failed, exited with status 1: the quota is used up"), "\(failed)")
        let done = try why("triage", at: try machine.runRecord(next)["scheduled_for"])
        #expect(done.contains(next) && done.contains("success"), "\(done)")
        let question = try machine.runRecord(asking)["questions"]?[0]
        #expect(question?["question"] == "Delete 40 mails?" && question?["choice"] == "Allow")
        #expect(question?["answered_by"] == "desktop")
        let changes = try machine.run("botcronctl show triage")
        #expect(changes.contains("hold group agent, as \(asking) said"), "\(changes)")
    }
}

/// dunst on a display without a screen, and a hand that chooses among the buttons of what it shows.
private struct NotificationServer {
    private let machine: Machine

    /// dunst gives its menu, a line for each button, to a program of the user's choice, and presses what that prints.
    init(on machine: Machine) throws {
        self.machine = machine
        try machine.run(
            """
            mkdir -p ~/.config/dunst
            printf '[global]\\ndmenu = /machine/menu\\n' > ~/.config/dunst/dunstrc
            printf '#!/bin/sh\\ntee /machine/offered | grep "^#$(cat /machine/choice) "\\n' > /machine/menu
            chmod +x /machine/menu
            Xvfb -displayfd 5 -screen 0 640x480x24 -nolisten tcp 5> ~/display > ~/screen.log 2>&1 &
            until [ -s ~/display ]; do sleep 0.05; done
            DISPLAY=:$(cat ~/display) dunst -conf ~/.config/dunst/dunstrc > ~/dunst.log 2>&1 &
            until dunstctl is-paused > ~/paused.log 2>&1; do sleep 0.05; done
            """)
    }

    func shownCount() throws -> Int { Int(try machine.run("dunstctl count displayed").filter(\.isNumber)) ?? 0 }

    /// What there was to choose from.
    func press(_ label: String) throws -> [String] {
        try machine.run("echo '\(label)' > /machine/choice; dunstctl context")
        try machine.wait("the menu of \(label)") { machine.lines("offered").contains { $0.hasPrefix("#\(label) ") } }
        return machine.lines("offered")
    }

    /// What was shown so far, each as its summary and its first line, newest first. Nothing is shown after that.
    func history() throws -> [String] {
        let answer = try JSONValue(parsing: try machine.run("dunstctl close-all; dunstctl history"))
        return (answer["data"]?[0]?.arrayValue ?? []).map { entry in
            let body = entry["body"]?["data"]?.stringValue ?? ""
            return "\(entry["summary"]?["data"]?.stringValue ?? ""): \(body.prefix { $0 != "\n" })"
        }
    }
}
