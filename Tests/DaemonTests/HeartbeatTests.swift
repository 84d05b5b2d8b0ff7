import DBus
import JSON
import TestSupport
import Testing

/// Signs of life that somebody elsewhere waits for.
@Suite struct HeartbeatTests {
    @Test func `a run calls at its start and its end, and a failure says what it wrote`() throws {
        let scratch = try ScratchFolder("botcron-web")
        let server = try TestServer(.web, in: scratch.path)
        let url = "http://127.0.0.1:\(server.port)/ok"
        let session = try Session(jobs: [
            ["name": "good", "command": ["true"], "heartbeat": .string(url + "/good/?create=1")],
            ["name": "bad", "command": "seq 5000; echo last; exit 3", "heartbeat": .string(url + "/bad")],
            ["name": "silent", "command": ["true"]],
        ])
        try session.start()
        for job in ["good", "silent", "bad"] {
            let run = try session.runToEnd(.string(job)).text("execution_id")
            if job == "silent" { continue }
            let messages = try session.messagesSettled(run)
            #expect(messages.map { $0.text("target") } == ["heartbeat", "heartbeat"])
            // A start that was not told when the end came is told no more.
            #expect(messages.last?.text("state") == "sent")
        }
        let requests = try server.requests
        let paths = requests.map { $0.text("method") + " " + $0.text("path") }
        #expect(paths.filter { $0.contains("good") }.last == "GET /ok/good/?create=1")
        #expect(paths.filter { $0.contains("bad") }.last == "POST /ok/bad/fail")
        #expect(
            Set(paths).isSubset(of: [
                "GET /ok/good/start?create=1", "GET /ok/good/?create=1", "GET /ok/bad/start", "POST /ok/bad/fail",
            ]))
        let body = try #require(requests.last { $0.text("path") == "/ok/bad/fail" }).text("body")
        #expect(body.utf8.count == 10 << 10 && body.hasSuffix("\n5000\nlast\n"))
    }

    @Test func `the start of a run that goes on is told, and a cancel is not a failure`() throws {
        let scratch = try ScratchFolder("botcron-web")
        let server = try TestServer(.web, in: scratch.path)
        let url = "http://127.0.0.1:\(server.port)/ok"
        let session = try Session(jobs: [
            ["name": "long", "command": ["sleep", "1000"], "heartbeat": .string(url)]
        ])
        try session.start()
        let run = try session.json("run_job", "long").text("execution_id")
        try session.look(for: "the start told") { try server.requests.map { $0.text("path") } == ["/ok/start"] }
        _ = try session.call("cancel_run", .string(run))
        _ = try session.waitForRun(run)
        #expect(try session.messagesSettled(run).map { $0.text("state") } == ["sent"])
        #expect(try server.requests.count == 1)
    }

    @Test func `the daemon calls for as long as it lives, and takes up another address at once`() throws {
        let scratch = try ScratchFolder("botcron-web")
        let server = try TestServer(.web, in: scratch.path)
        let url = "http://127.0.0.1:\(server.port)/ok"
        func section(_ path: String) -> JSONObject { ["heartbeat": ["url": .string(url + path), "every": "10s"]] }
        let session = try Session(jobs: [], section("/one"))
        try session.start()
        try session.look(for: "two calls", seconds: 60) { try server.requests.count == 2 }
        try TestFile.write(Session.config(section("/two"), jobs: []), to: session.configFile)
        try session.look(for: "the other address called") {
            try server.requests.last?.text("path") == "/ok/two"
        }
    }
}
