import SQLiteStore
import Schedules
import Scheduling
import Store
import Testing

/// Messages on record: with their run, until they are settled.
@Suite struct MessageRowTests {
    private let scratch = Scratch()

    private func message(_ id: String, run: Int = 1, _ change: (inout Message) -> Void = { _ in }) -> Message {
        var message = Message(
            id: id, job: "coffee", run: makeRun(run).id, occasion: .firstFailure, target: "desktop",
            title: "coffee \"failed\"", text: "two\nlines", createdAt: Instant(microseconds: 1_234_567))
        change(&message)
        return message
    }

    @Test func `a message comes back as it was, and only one that is not settled with the state`() throws {
        let store = try SQLiteStore(path: scratch.database)
        let waiting = message("m1") {
            ($0.fault, $0.sendings, $0.nextAt) = ("busy", 2, Instant(microseconds: 99))
            $0.gatheredIn = "m3"
        }
        let sent = message("m2") { ($0.state, $0.sendings) = (.sent, 1) }
        try store.commit([.run(makeRun(1)), .message(waiting), .message(sent), .message(message("m3"))])
        store.close()
        let next = try SQLiteStore(path: scratch.database)
        #expect(try next.load().messages == [waiting, message("m3")])
        #expect(try next.messages(ofRun: makeRun(1).id) == [waiting, sent, message("m3")])
        #expect(try next.messages(ofRun: "none").isEmpty)
        let failed = message("m1") { ($0.state, $0.fault) = (.failed, "gone") }
        try next.commit([.message(failed)])
        // It keeps its place.
        #expect(try next.messages(ofRun: makeRun(1).id).map(\.id) == ["m1", "m2", "m3"])
        #expect(try next.load().messages.map(\.id) == ["m3"])
    }

    @Test func `messages go with their run, and one that is not settled when it goes`() throws {
        let store = try SQLiteStore(path: scratch.database)
        try store.commit(
            [.run(makeRun(1)), .message(message("m1") { $0.state = .sent }), .message(message("m2"))])
        try store.commit([.prune(job: "coffee", keep: 0)])
        #expect(try store.load().messages == [message("m2")])
        try store.commit([.message(message("m2") { ($0.fault, $0.sendings) = ("busy", 1) })])
        #expect(try store.load().messages.count == 1)
        try store.commit([.message(message("m2") { $0.state = .sent })])
        #expect(try OtherProgram(scratch.database).rows("SELECT id FROM message").isEmpty)
    }

    @Test func `the course of a job comes back with its state`() throws {
        let store = try SQLiteStore(path: scratch.database)
        var state = makeState()
        state.course.failures = 3
        state.course.failingSince = Instant(seconds: 5)
        state.course.outputDigest = .min
        state.course.toldReason = .asleep
        try store.commit([.jobState(state)])
        #expect(try store.load().jobs == [state])
        state.course = JobCourse()
        try store.commit([.jobState(state)])
        #expect(try store.load().jobs == [state])
    }

    @Test func `a row that no version writes is left out, and named`() throws {
        let store = try SQLiteStore(path: scratch.database)
        try store.commit([.run(makeRun(1)), .message(message("m1")), .message(message("m2"))])
        try OtherProgram(scratch.database).execute("UPDATE message SET occasion = 'gossip' WHERE id = 'm1'")
        let state = try store.load()
        #expect(state.messages == [message("m2")])
        #expect(state.unreadable.count == 1 && state.unreadable[0].contains("the message m1"))
        #expect(try store.messages(ofRun: makeRun(1).id) == [message("m2")])
    }

    @Test func `what waits is found without a look at what was sent, and what a run has with it`() throws {
        _ = try SQLiteStore(path: scratch.database)
        let plan = try OtherProgram(scratch.database).rows(
            "EXPLAIN QUERY PLAN SELECT id FROM message WHERE state = 'pending' ORDER BY sequence LIMIT 10000")
        #expect(plan.count == 1 && plan[0].contains("USING INDEX message_pending"), "\(plan)")
        let ofRun = try OtherProgram(scratch.database).rows(
            "EXPLAIN QUERY PLAN SELECT id FROM message WHERE run = 'x' ORDER BY sequence")
        #expect(ofRun.count == 1 && ofRun[0].contains("USING INDEX message_run"), "\(ofRun)")
    }
}
