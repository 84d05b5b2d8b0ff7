import Schedules

@testable import botcronctl

/// A model of the terminal view with facts of a test's own, at an instant that stands still.
enum TopFixture {
    /// 2026-01-23 09:00:00 UTC, a Friday.
    static let now = Instant(rfc3339: "2026-01-23T09:00:00Z") ?? .epoch
    static let times = TimeText(zone: .utc, now: now)

    static func run(_ status: String, _ milliseconds: Int = 1_000, _ what: String = "") -> RunFacts {
        var run = RunFacts(id: "cron-\(status)-\(milliseconds)", status: status)
        run.milliseconds = milliseconds
        run.what = what
        return run
    }

    static func job(_ name: String, _ change: (inout JobFacts) -> Void = { _ in }) -> JobFacts {
        var job = JobFacts(name: name)
        job.schedule = "0 9 * * *"
        job.zone = "Europe/Berlin"
        job.nextRun = now + .seconds(86_400)
        change(&job)
        return job
    }

    /// One job of each kind that is drawn in another way.
    static let jobs: [JobFacts] = [
        job("backup-home") { job in
            job.running = ["cron-backup-home-20260123-085500"]
            (job.lastStatus, job.lastRun, job.lastMilliseconds) = ("success", now - .seconds(90_000), 420_000)
            job.tags = ["backup"]
        },
        job("bad-cron") { job in
            job.error = "unknown_name day_of_week \"FRX\" at 12: expected SUN–SAT or 0–7 (cron, line 6, column 31)"
            job.nextRun = nil
        },
        job("by-hand") { job in
            (job.schedule, job.hasSchedule, job.nextRun) = ("", false, nil)
            (job.lastStatus, job.lastRun) = ("cancelled", now - .seconds(7_200))
        },
        job("gives-up") { job in
            (job.isEnabled, job.nextRun) = (false, nil)
            (job.lastStatus, job.lastRun) = ("failed", now - .seconds(3_600))
        },
        job("hangs") { job in
            job.running = ["cron-hangs-20260123-083000"]
            job.nextRun = now + .seconds(7_200)
        },
        job("nightly-report") { job in
            job.title = "The report of the night"
            job.nextRun = now + .seconds(61_200)
            (job.lastStatus, job.lastRun, job.lastMilliseconds) = ("failed", now - .seconds(750), 3_400)
            job.tags = ["reports", "night"]
        },
        job("off") { job in (job.isEnabled, job.nextRun) = (false, nil) },
        job("once") { job in
            (job.schedule, job.nextRun) = ("once 2026-01-01T00:00", nil)
            (job.lastStatus, job.lastRun) = ("success", now - .seconds(1_900_000))
        },
        job("standup") { $0.nextRun = now + .seconds(252) },
        job("sync-mail") { job in
            (job.schedule, job.nextRun) = ("interval 15m", now + .seconds(45))
            (job.lastStatus, job.lastRun) = ("success", now - .seconds(20))
        },
        job("waits") { job in
            job.waitingFor = ["mains power", "the network"]
            job.lastStatus = "missed"
        },
    ]

    static var facts: TopFacts {
        var facts = TopFacts()
        (facts.link, facts.status) = (.live, "running")
        facts.replaceJobs(jobs)
        var backup = RunFacts(id: "cron-backup-home-20260123-085500", job: "backup-home", status: "running")
        (backup.startedAt, backup.progress, backup.attempt) = (now - .seconds(300), 42, 2)
        var hangs = RunFacts(id: "cron-hangs-20260123-083000", job: "hangs", status: "running")
        (hangs.startedAt, hangs.isStalled, hangs.what) = (now - .seconds(1_800), true, "it wrote nothing for 600 s")
        facts.runs = [backup.id: backup, hangs.id: hangs]
        facts.pausedByFailures = ["gives-up": "the job was paused after 5 failed runs in a row"]
        facts.strips = [
            "nightly-report": [run("failed", 3_400, "exited with status 3: cannot open the database")]
                + (1..<34).map { run($0 % 7 == 0 ? "failed" : "success", $0 * 400) },
            "sync-mail": (0..<30).map { run($0 == 3 ? "missed" : $0 == 9 ? "skipped" : "success", 200 + $0 * 30) },
            "by-hand": [run("cancelled"), run("success", 20_000), run("timeout", 60_000)],
            "backup-home": [run("running"), run("success", 420_000), run("interrupted", 1_000)],
        ]
        return facts
    }

    static func model(_ columns: Int, _ rows: Int, _ facts: TopFacts = Self.facts) -> TopModel {
        var model = TopModel(size: Canvas.Size(columns: columns, rows: rows))
        model.learn { $0 = facts }
        model.refresh()
        return model
    }

    static func drawn(_ model: TopModel, _ glyphs: Glyphs = .unicode) -> TopDrawing {
        TopDrawing(model, glyphs, times)
    }

    static func text(_ model: TopModel, _ glyphs: Glyphs = .unicode) -> String {
        drawn(model, glyphs).canvas.lines.joined(separator: "\n") + "\n"
    }
}

extension TopModel {
    /// Types keys one after the other, and gives what they ask for.
    @discardableResult
    mutating func type(_ keys: Key...) -> [TopWish] { keys.flatMap { handle($0) } }

    /// Types a text, letter by letter.
    @discardableResult
    mutating func type(text: String) -> [TopWish] { text.flatMap { handle(.character($0)) } }
}
