import DBus
import JSON
import TestSupport
import Testing

/// Who changed a job is on record before the change is answered, with the process that asked and not our guess of it.
@Suite(.ownThread) struct JobChangeTests {
    private let session: Session

    init() throws {
        session = try Session(jobs: [["name": "daily", "cron": Session.soon, "command": ["true"]]])
    }

    private func changes(_ job: String) throws -> [JSONValue] {
        try session.json("get_job", .string(job))["changes"]?.arrayValue ?? []
    }

    @Test func eachClientIsNamedByItsProcess() throws {
        let daemon = try session.start()
        let call = ["call", "--session", "--dest", Session.name.text, "--object-path", Session.path.text, "--method"]
        let method = Session.interface.text + "."
        #expect(try session.run(["gdbus"] + call + [method + "toggle_job", "daily", "false"]).code == 0)
        try session.done("pause_job", #"{"job": "daily", "reason": "quota used up"}"#)
        let told = try changes("daily")
        #expect(told.map { $0.text("what") } == ["disabled", "disabled"])
        #expect(told.map { $0.text("reason") } == ["quota used up", ""])
        #expect(told[1].text("by_process") == "gdbus" && told[1].text("by_executable").hasSuffix("/gdbus"), "\(told)")
        #expect(told[0].text("by_process") != "gdbus" && !told[0].text("by_executable").isEmpty)
        try session.wait("the lines of the journal") {
            daemon.text.contains("job changed") && daemon.text.contains(told[1].text("by"))
        }
        // A crash takes none of it.
        try session.crash(daemon)
        try session.start()
        #expect(try changes("daily") == told)
        #expect(try session.json("get_job", "daily")["disabled_reason"] == "quota used up")
    }

    /// Nobody waits for an answer, and the caller may be gone when the bus is asked: it gets its wish all the same.
    @Test func whoLeavesAtOnceIsServedAndOnRecord() throws {
        try session.start()
        let arguments = ["--session", "--type=method_call", "--dest=" + Session.name.text, Session.path.text]
        let method = Session.interface.text + ".toggle_job"
        // dbus-send sends, and ends without waiting: of a process that nobody has reaped yet the name is still there.
        #expect(try session.run(["dbus-send"] + arguments + [method, "string:daily", "boolean:false"]).code == 0)
        try session.look(for: "the change") { try changes("daily").count == 1 }
        let by = try changes("daily")[0].text("by")
        #expect(by.hasPrefix("dbus-send") || by.hasPrefix("a client that has left (:1."), "\(by)")
    }

    /// What another program writes into state.json is its change, and not the daemon's.
    @Test func aFileThatWasWrittenIsNamed() throws {
        try session.start()
        try TestFile.write(
            #"{"jobs": {"daily": {"enabled": false}}}"#, to: session.scratch.path + "/config/aa-workflow/state.json")
        try session.look(for: "the change") { try changes("daily").count == 1 }
        #expect(try changes("daily")[0].text("by") == "a change of state.json")
    }
}
