import CSQLite
import DBus
import Glibc
import JSON
import TestSupport
import Testing

/// What a client was told is on record, and what is on record happened at most once.
@Suite(.ownThread) struct DurabilityTests {
    private static let kills = 8
    private static let requestsPerLife = 12

    @Test func whatWasAnsweredIsOnRecordAndRanAtMostOnceAfterAnyKill() throws {
        let session = try Session(
            jobs: [
                [
                    "name": "mark", "overlap_policy": "allow",
                    "command": ["sh", "-c", "echo $BOTCRON_EXECUTION_ID >> marks"],
                ]
            ],
            ["max_concurrent_executions": 4])
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        var answered: [String: String] = [:]
        for life in 0..<Self.kills {
            let daemon = try session.start()
            let until = Int.random(in: 0...Self.requestsPerLife, using: &random)
            var count = 0
            for number in 0..<Self.requestsPerLife {
                let key = "\(life)/\(number)"
                let request: JSONValue = ["job": "mark", "idempotency_key": .string(key)]
                let call = RemoteCall(
                    Session.name, Session.path, Session.interface, "run_job", [.string(request.compactText)])
                session.client.call(call) { result in
                    guard let text = (try? result.get())?.first?.asString else { return }
                    answered[key] = (try? JSONValue(parsing: text))?.text("execution_id")
                    count += 1
                }
            }
            try session.wait("\(until) answers, seed \(seed)") { count >= until }
            try session.crash(daemon)
        }
        try session.start()
        try session.wait("all runs over, seed \(seed)") {
            try session.json("GetStatus")["active_runs"] == []
        }
        try session.settle()

        let marks = TestFile.text(session.scratch.path + "/home/marks").split(separator: "\n").map(String.init)
        #expect(Set(marks).count == marks.count, "a run ran twice, seed \(seed): \(marks)")
        let records = try session.history(1000)
        let ids = Set(records.map { $0.text("execution_id") })
        #expect(ids.count == records.count)
        #expect(!answered.isEmpty)
        for (key, id) in answered { #expect(ids.contains(id), "\(key), seed \(seed)") }
        #expect(Set(answered.values).count == answered.count, "seed \(seed)")
        for mark in marks { #expect(ids.contains(mark), "\(mark) ran without a record, seed \(seed)") }
        for record in records {
            let id = record.text("execution_id")
            let status = record.text("status")
            #expect(["success", "interrupted"].contains(status), "\(record), seed \(seed)")
            if status == "success" { #expect(marks.contains(id), "\(record), seed \(seed)") }
            // Whoever was killed between the record and the signal left it to the next one.
            let end = status == "success" ? "JobCompleted" : "JobFailed"
            #expect(session.story(id) == ["JobStarted", end], "\(id), seed \(seed)")
        }
    }

    /// The file that says what was told could not be opened for once, and all was told again.
    @Test func whatWasToldIsNotToldAgainWhereOneFileCannotBeOpened() throws {
        let session = try Session(jobs: [["name": "one", "command": ["true"]]])
        let first = try session.start()
        let run = try session.json("run_job", "one").text("execution_id")
        try session.signal("JobCompleted", "one")
        try session.crash(first)
        for number in 1...60 {
            let fault = FaultLibrary.Fault(
                call: .open, number: number, effect: .error(number % 2 == 0 ? EMFILE : ENFILE))
            let changes: [String: String?] = try FaultLibrary.environment(fault)
            let daemon = try session.launch([], changes)
            try session.wait("its name or its end, with \(fault)") { session.owner != nil || daemon.code != nil }
            try session.settle()
            if daemon.code == nil { try session.crash(daemon) }
        }
        let told = session.signals.filter { $0.member == "JobCompleted" && $0.arguments.contains(.string(run)) }
        #expect(session.signals.filter { $0.member == "JobCompleted" }.count == 1, "\(told)")
    }

    /// Another program locks the database: nothing is promised, and all is well again when it lets go.
    @Test func aStoreThatCannotBeWrittenIsSaidAndHeals() throws {
        let session = try Session(jobs: [["name": "one", "command": ["sh", "-c", "echo x >> ran"]]])
        let daemon = try session.start()
        try session.runToEnd("one")
        var database: OpaquePointer?
        #expect(sqlite3_open(session.stateFolder + "/botcron.db", &database) == SQLITE_OK)
        defer { sqlite3_close(database) }
        sqlite3_busy_timeout(database, 10_000)
        #expect(sqlite3_exec(database, "BEGIN IMMEDIATE", nil, nil, nil) == SQLITE_OK)

        let refused = try session.refusal("run_job", "one")
        #expect(refused.name == "com.aiworkflow.BotCron.Error.StoreFailed")
        #expect(refused.message.contains("botcron.db"), "\(refused)")
        #expect(TestFile.text(session.scratch.path + "/home/ran") == "x\n")
        let health = try session.json("HealthCheck")
        #expect(health["healthy"] == false)
        #expect(health["checks"]?["store_writable"] == false)
        #expect(health.text("message").contains("store_writable"))
        // What is on record can still be read.
        #expect(try session.history().count == 1)

        #expect(sqlite3_exec(database, "ROLLBACK", nil, nil, nil) == SQLITE_OK)
        try session.wait("the store healed") {
            try session.json("HealthCheck")["checks"]?["store_writable"] == true
        }
        #expect(try session.runToEnd("one")["status"] == "success")
        #expect(try session.stop(daemon) == 0)
    }

    @Test func aStoreThatCannotBeWrittenDoesNotKeepADaemonThatStops() throws {
        let session = try Session(jobs: [["name": "one", "command": ["true"]]])
        let daemon = try session.start()
        var database: OpaquePointer?
        #expect(sqlite3_open(session.stateFolder + "/botcron.db", &database) == SQLITE_OK)
        defer { sqlite3_close(database) }
        sqlite3_busy_timeout(database, 10_000)
        #expect(sqlite3_exec(database, "BEGIN IMMEDIATE", nil, nil, nil) == SQLITE_OK)
        _ = try session.refusal("run_job", "one")
        #expect(try session.stop(daemon) == 0)
    }

    @Test func aDamagedStoreIsSetAsideAndSaid() throws {
        let session = try Session(jobs: [["name": "one", "command": ["true"]]])
        try TestFile.makeFolder(session.stateFolder)
        try TestFile.write(String(repeating: "no database ", count: 1000), to: session.stateFolder + "/botcron.db")
        let daemon = try session.start()
        #expect(try session.runToEnd("one")["status"] == "success")
        #expect(daemon.text.contains("set aside"), "\(daemon.text)")
        let kept = ScratchFolder.names(in: session.stateFolder).filter { name in
            TestFile.text("\(session.stateFolder)/\(name)").hasPrefix("no database ")
        }
        #expect(kept.count == 1, "\(ScratchFolder.names(in: session.stateFolder))")
    }
}
