import DBus
import Glibc
import JSON
import TestSupport
import Testing

/// The memory log, whatever comes in between: each run that is told has its section, whole and once.
@Suite(.ownThread) struct MemoryLogTests {
    private static let isLong = getenv("BOTCRON_LONG_TESTS") != nil

    private func session(
        _ command: String, on: JSONValue = ["success"]
    ) throws -> (Session, folder: String) {
        let session = try Session(
            jobs: [
                [
                    "name": "noted", "command": .string(command), "max_instances": 50, "overlap_policy": "allow",
                    "notify": [["target": "memory", "on": on]],
                ]
            ],
            ["max_concurrent_executions": 50, "notifications": ["memory": ["directory": "~/memory"]]])
        return (session, session.scratch.path + "/home/memory")
    }

    /// The runs go on without a daemon, so that the next one finds all fifty ended; each that is killed leaves the rest
    /// to the next. A kill comes before a section, after it, or anywhere within it: in the line that names its message,
    /// too.
    @Test(arguments: 0..<(isLong ? 60 : 1))
    func `fifty runs that end at once have a section each, however often the daemon is killed in between`(
        part: Int
    ) throws {
        let seed = SeededGenerator.seed() &+ UInt64(part)
        var random = SeededGenerator(seed: seed)
        let (session, folder) = try session("while [ ! -e ~/go ]; do sleep 0.05; done; echo 'a ``` b'; seq 30")
        let first = try session.start()
        let ids = try (0..<50).map { _ in try session.json("run_job", "noted").text("execution_id") }
        for id in ids { try session.signal("JobStarted", "noted", id) }
        try session.crash(first)
        try TestFile.write("", to: session.scratch.path + "/home/go")
        let runs = session.stateFolder + "/runs"
        try session.look(for: "fifty outcomes") {
            ScratchFolder.names(in: runs).count { access("\(runs)/\($0)/outcome", F_OK) == 0 } == 50
        }
        var kills = 0
        for _ in 0..<100 {
            let effect: FaultLibrary.Fault.Effect =
                switch Int.random(in: 0..<6, using: &random) {
                case 0: .kill
                case 1: .killAfter
                // A name of a message has about fifty bytes, and a section some hundreds.
                case 2, 3: .cut(Int.random(in: 1...60, using: &random))
                default: .cut(Int.random(in: 1...500, using: &random))
                }
            let fault = FaultLibrary.Fault(
                call: .section, number: Int.random(in: 1...10, using: &random), effect: effect)
            let daemon = try session.launch([], try FaultLibrary.environment(fault))
            try session.look(for: "its end, or the last section, with \(fault)") {
                daemon.code != nil || MemoryLog(folder).sections.count == 50
            }
            if daemon.code != nil { kills += 1 }
            try session.crash(daemon)
            if MemoryLog(folder).sections.count == 50 { break }
        }
        try session.start()
        for id in ids { #expect(try session.messagesSettled(id).map { $0.text("state") } == ["sent"], "seed \(seed)") }
        let log = MemoryLog(folder)
        #expect(log.violations.isEmpty, "seed \(seed): \(log.violations.joined(separator: "\n"))")
        #expect(log.sections.map(\.run).sorted() == ids.sorted(), "seed \(seed)")
        #expect(Set(log.sections.map(\.message)).count == 50, "seed \(seed)")
        let lines = (11...30).map { "\($0)" }
        #expect(log.sections.allSatisfy { $0.status == "success" && $0.output == lines }, "seed \(seed)")
        #expect(kills > 2, "seed \(seed): only \(kills) kills")
        print("memory log: seed \(seed), 50 sections over \(kills) kills")
    }

    /// What has been written of it is taken away again: a section that comes meanwhile would stand behind a half one.
    @Test func `a section that meets a full disk leaves nothing, and comes later`() throws {
        let (session, folder) = try session("echo out")
        try session.start([], try FaultLibrary.environment(.init(call: .section, number: 2, effect: .short(80))))
        let ids = try (0..<3).map { _ in try session.runToEnd("noted").text("execution_id") }
        #expect(try session.messagesSettled(ids[2]).map { $0.text("state") } == ["sent"])
        let refused = try session.run(ids[1])["messages"]?[0]
        #expect(
            refused?.text("state") == "pending" && refused?.text("error").hasSuffix("No space left on device") == true)
        #expect(MemoryLog(folder).sections.map(\.run) == [ids[0], ids[2]])
        #expect(MemoryLog(folder).violations == [])
        #expect(try session.messagesSettled(ids[1]).map { $0.text("state") } == ["sent"])
        #expect(MemoryLog(folder).sections.map(\.run) == [ids[0], ids[2], ids[1]])
        #expect(MemoryLog(folder).violations == [])
    }

    /// Another text would not be known again, and stand behind the half of the first one.
    @Test func `a section on a start that was cut off is made whole when the run has ended`() throws {
        let (session, folder) = try session("while [ ! -e ~/go ]; do sleep 0.05; done", on: ["start"])
        let first = try session.start(
            [], try FaultLibrary.environment(.init(call: .section, number: 1, effect: .cut(60))))
        _ = try? session.json("run_job", "noted")
        try session.end(first)
        try session.crash(first)
        try TestFile.write("", to: session.scratch.path + "/home/go")
        try session.start()
        let run = try #require(try session.history().first).text("execution_id")
        #expect(try session.waitForRun(run)["status"] == "success")
        #expect(try session.messagesSettled(run).map { $0.text("state") } == ["sent"])
        let file = try #require(ScratchFolder.names(in: folder).first)
        let text = TestFile.text("\(folder)/\(file)")
        let whole = /<!-- msg_[0-9a-f]+ -->\n## \d\d:\d\d:\d\d noted has started\n\nby request\n/
        #expect(text.wholeMatch(of: whole) != nil, "\(text)")
    }
}
