import SQLiteStore
import Schedules
import Scheduling
import Store
import Testing

@Suite struct JobChangeTests {
    let scratch = Scratch()

    private func change(
        _ number: Int, _ job: String = "coffee", _ author: ChangeAuthor = .daemon, at seconds: Int64? = nil
    ) -> JobChange {
        JobChange(
            sequence: Int64(number), job: job, at: Instant(seconds: seconds ?? Int64(number)),
            what: JobChange.What.allCases[number % JobChange.What.allCases.count], author: author)
    }

    @Test func everyFieldComesBackAsItWasNewestFirst() throws {
        let authors: [ChangeAuthor] = [
            .process(name: "python3", executable: "/usr/bin/python3.11"), .process(name: "sh", executable: nil),
            .gone(":1.42"), .file("state.json"), .daemon, .unknown,
        ]
        var changes = authors.enumerated().map { change($0.offset + 1, "coffee", $0.element) }
        changes[1].until = Instant(seconds: 9)
        changes[2].reason = "quota used up"
        let store = try SQLiteStore(path: scratch.database)
        try store.commit(changes.map { .jobChange($0) } + [.jobChange(change(99, "tea"))])
        // Applied twice it is as after once.
        try store.commit([.jobChange(changes[0])])
        for store in [store, try SQLiteStore(path: scratch.database)] {
            #expect(try store.changes(ofJob: "coffee", limit: 20) == changes.reversed())
            #expect(try store.changes(ofJob: "coffee", limit: 2) == Array(changes.reversed().prefix(2)))
            #expect(try store.changes(ofJob: "nobody", limit: 20).isEmpty)
            #expect(try store.load().lastChange == 99)
        }
    }

    @Test func ofEachJobTheNewestAreKept() throws {
        let store = try SQLiteStore(path: scratch.database)
        let count = JobChange.keptPerJob + 5
        for number in 1...count { try store.commit([.jobChange(change(number))]) }
        try store.commit([.jobChange(change(count + 1, "tea"))])
        let kept = try store.changes(ofJob: "coffee", limit: 1_000)
        #expect(kept.map(\.sequence) == (6...count).reversed().map(Int64.init))
        #expect(try store.changes(ofJob: "tea", limit: 1_000).count == 1)
    }

    /// A name that is made again finds its record as it finds its history; with the history it goes.
    @Test func whatWasChangedOfAJobThatIsGoneIsKeptAsLongAsHistoryIs() throws {
        let store = try SQLiteStore(path: scratch.database)
        let state = JobState(
            job: "there", scheduleKey: "", registeredAt: Instant(seconds: 1), decidedThrough: Instant(seconds: 1))
        try store.commit([
            .jobState(state), .jobChange(change(1, "there")), .jobChange(change(2, "gone")), .jobChange(change(3, "")),
            .jobChange(change(4, "of the file")), .removeJobState(job: "of the file"),
        ])
        let removed = JobChange(
            sequence: 5, job: "gone", at: Instant(seconds: 5), what: .removed, author: .daemon)
        // Another of its name.
        try store.commit([.jobChange(removed), .jobChange(change(6, "gone"))])
        func kept(_ job: String) throws -> [Int64] { try store.changes(ofJob: job, limit: 9).map(\.sequence) }
        try store.commit([.pruneEnded(before: Instant(seconds: 2), limit: 100)])
        #expect(try kept("gone") == [6, 5, 2])
        try store.commit([.pruneEnded(before: Instant(seconds: 50), limit: 1)])
        #expect(try kept("gone") == [6, 5], "the oldest goes first, and no more than the bound")
        try store.commit([.pruneEnded(before: Instant(seconds: 50), limit: 100)])
        #expect(try kept("there") == [1], "it says why the job is as it is")
        #expect(try kept("") == [3])
        #expect(try kept("gone") == [6])
        #expect(try kept("of the file") == [])
    }
}
