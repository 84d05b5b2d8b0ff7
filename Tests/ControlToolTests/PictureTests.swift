import Configuration
import Contract
import JSON
import Schedules
import TestSupport
import Testing

@testable import botcronctl

/// Days as people count them.
@Suite struct DaysTests {
    @Test func daysBeginWithTheirDateWhateverTheClockDoes() throws {
        let zone = try ZoneDatabase().zone(named: "Europe/Berlin")
        let instant = try #require(Instant(rfc3339: "2026-03-27T12:00:00+01:00"))
        let days = Days(around: instant, from: 0, count: 5, zone: zone)
        #expect(days.indices.map { days.text($0) } == (27...31).map { "2026-03-\($0)" })
        // The 29th has 23 hours.
        #expect(
            zip(days.starts, days.starts.dropFirst()).map { ($1 - $0).components.seconds / 3600 } == [
                24, 24, 23, 24, 24,
            ])
        for day in days.indices {
            #expect(days.index(of: days.starts[day]) == day)
            #expect(days.index(of: days.starts[day + 1] - .microseconds(1)) == day)
        }
        #expect(days.index(of: days.starts[0] - .microseconds(1)) == nil && days.index(of: days.starts[5]) == nil)
        #expect(Days.daysIntoWeek(of: instant, in: zone) == 4)
    }
}

/// What is shown of many days, and the verbs that look after the daemon.
@Suite struct PictureTests {
    private static let configuration = """
        {"schedules": {"timezone": "UTC", "max_concurrent_executions": 20, "jobs": [
          {"name": "daily", "cron": "0 9 * * *", "tags": ["x"],
           "command": "case $BOTCRON_SCHEDULED_AT in *-01-0[123]T*) exit 1;; esac"},
          {"name": "often", "cron": "*/30 * * * *", "command": ["true"]},
          {"name": "some", "schedules": [{"cron": "0 10 * * *"}, {"cron": "0 10,11 * * *"}], "command": ["true"]},
          {"name": "without", "cron": "0 12 * * *", "exclude": ["12:00"], "command": ["true"]},
          {"name": "off", "cron": "@hourly", "enabled": false, "command": ["true"]},
          {"name": "yearly", "cron": "0 0 29 2 *", "command": ["true"]}
        ]}, "other": {"kept": [1,2 ,3], "name": "a text"}}
        """

    private let stage: Stage

    init() throws { stage = try Stage(Self.configuration) }

    private func json(_ outcome: TestProgram.Outcome) throws -> JSONValue { try JSONValue(parsing: outcome.output) }

    // MARK: - Calendar

    @Test func theCalendarHasEveryFireTimeOfEachDay() throws {
        let month = try json(stage.control("calendar", "--month", "--json")).arrayValue ?? []
        #expect(month.count == 31)
        #expect(try json(stage.control("calendar", "--json")).arrayValue == Array(month.prefix(7)))
        // Whole days, from tomorrow on.
        for day in month.dropFirst() {
            let counts = Dictionary(
                uniqueKeysWithValues: (day["jobs"]?.arrayValue ?? []).map { ($0.text("job"), $0["count"]?.intValue) })
            var expected: [String: Int] = ["daily": 1, "often": 48, "some": 2]
            if day.text("date").hasSuffix("-02-29") { expected["yearly"] = 1 }
            #expect(counts == expected, "\(day)")
            #expect(day["jobs"]?[0]?.text("job") == "often", "\(day)")
        }
    }

    @Test func theCalendarIsReadAtOneGlance() throws {
        let week = try stage.control("calendar").output
        let lines = week.split(separator: "\n").map(String.init)
        #expect(lines.count { Days.weekdays.contains(String($0.prefix(3))) } == 7, "\(week)")
        #expect(lines.contains("  00:00     often  ×48") && lines.contains("  09:00     daily"), "\(week)")
        #expect(!week.contains("without") && !week.contains("off "))
        let month = try stage.control("calendar", "--month").output
        #expect(month.contains("often ×48, daily, some ×2"), "\(month)")
        #expect(try stage.control("calendar", "--week", "--month").code == ExitCode.usage)
        _ = try stage.control("pause")
        #expect(try stage.control("calendar").output.hasPrefix("All schedules are paused"))
    }

    // MARK: - Heatmap

    @Test func theHeatmapHasACellForEachDayOfAYear() throws {
        // The 1st to the 20th of the last January that is over: three failures.
        let year = try #require(Int(stage.shell("date +%Y").output.prefix(4)))
        let isRecent = try #require(Int(stage.shell("date +%-m").output.split(separator: "\n")[0])) > 1
        let january = isRecent ? year : year - 1
        let made = try json(
            stage.control(
                "backfill", "daily", "--from", "\(january)-01-01", "--to", "\(january)-01-20T12:00:00", "--overlap",
                "allow",
                "--json"))
        #expect(made["runs"]?.arrayValue?.count == 20)
        for run in made["runs"]?.arrayValue ?? [] { _ = try stage.control("wait", run.text("execution_id")) }
        let days = try json(stage.control("heatmap", "daily", "--json")).arrayValue ?? []
        #expect(days.count { $0["success"] == 1 && $0["failed"] == 0 } == 17, "\(days)")
        #expect(days.filter { $0["failed"] == 1 }.map { $0.text("date") } == (1...3).map { "\(january)-01-0\($0)" })
        let picture = try stage.control("heatmap", "daily").output.split(separator: "\n").map(String.init)
        let cells = picture.dropFirst().prefix(7).map { String($0.dropFirst(4)) }
        #expect(cells.joined().count { $0 == "x" } == 3 && cells.joined().count { $0 == "+" } == 17, "\(picture)")
        #expect(cells.allSatisfy { (52...53).contains($0.count) }, "\(picture)")
        #expect(picture[0].contains("Jan") && picture[0].contains("Jul"))
        #expect(picture.last?.hasPrefix("daily: 17 succeeded, 3 failed, 0 not run.") == true)
        #expect(try stage.control("heatmap", "nobody").code == ExitCode.notFound)
        #expect(try stage.control("heatmap", "often").output.contains("often: 0 succeeded"))
    }

    // MARK: - Queues

    @Test func itemsOfAQueueComeAndGo() throws {
        #expect(try stage.control("queue").output == "No queue has items.\n")
        #expect(try stage.control("queue", "push", "todo", #"{"n": 1}"#).output.hasPrefix("todo: the item "))
        #expect(try stage.control("queue", "push", "todo", "two words").code == 0)
        #expect(try stage.control("queue", "list").output.contains("todo   2"))
        #expect(try stage.control("queue", "peek", "todo", "-n1").output.contains(#"{"n": 1}"#))
        let taken = try json(stage.control("queue", "pop", "todo"))
        #expect(taken["item"] == ["n": 1])
        #expect(try stage.control("queue", "ack", "todo", taken.text("id")).code == 0)
        #expect(try json(stage.control("queue", "pop", "todo"))["item"] == "two words")
        #expect(try stage.control("queue", "pop", "todo").code == 1)
        for wrong in [["push", "todo"], ["pop"], ["list", "x"], ["eat", "todo"], ["ack", "todo"]] {
            #expect(try stage.control(["queue"] + wrong).code == ExitCode.usage, "\(wrong)")
        }
    }

    // MARK: - Configuration, health, metrics

    @Test func valuesOfTheConfigurationAreReadAndSet() throws {
        #expect(try stage.control("config", "path").output == stage.path("config.json") + "\n")
        #expect(try stage.control("config", "get", "other", "name").output == "a text\n")
        #expect(try json(stage.control("config", "get", "other")) == ["kept": [1, 2, 3], "name": "a text"])
        #expect(try stage.control("config", "get", "other", "nothing").code == ExitCode.notFound)
        #expect(try stage.control("config", "set", "schedules", "max_concurrent_executions", "7").code == 0)
        #expect(try stage.control("config", "set", "other", "name", "new words").code == 0)
        let file = try stage.shell("cat \(stage.path("config.json"))").output
        #expect(file.contains(#""kept": [1,2 ,3], "name": "new words""#), "\(file)")
        #expect(try stage.control("config", "get", "schedules", "max_concurrent_executions").output == "7\n")
        #expect(try stage.control("config", "set", "schedules", "max_concurrent_executions", "many").code == 1)
        for wrong in [["get"], ["set", "a", "b"], ["path", "x"], ["eat"]] {
            #expect(try stage.control(["config"] + wrong).code == ExitCode.usage, "\(wrong)")
        }
    }

    @Test func healthIsSaidCheckByCheckAndMetricsAsTheyAre() throws {
        let health = try stage.control("health")
        #expect(
            health.code == 0 && health.output.contains("health  healthy\n") && health.output.contains("store writable"),
            "\(health)")
        #expect(try json(stage.control("health", "--json"))["healthy"] == true)
        let metrics = try stage.control("metrics").output
        #expect(metrics.hasPrefix("# ") && metrics.hasSuffix("# EOF\n"), "\(metrics.prefix(200))")
        try stage.stopDaemon()
        #expect(try stage.control("health").code == ExitCode.unavailable)
        #expect(try stage.control("metrics").code == ExitCode.unavailable)
    }
}
