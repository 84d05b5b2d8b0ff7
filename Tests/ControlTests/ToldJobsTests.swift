import DBus
import Performing
import Scheduling
import Testing

@testable import Control

@Suite struct ToldJobsTests {
    private let scheduler = FakeScheduler()

    private func facts(_ name: String, _ description: String) throws -> JobFacts {
        scheduler.add(name) { $0.job.description = description }
        return JobFacts(try #require(scheduler.job(named: name)).glance, of: scheduler)
    }

    /// The place of a job that has gone is another's, and nothing of the one is told of the other.
    @Test func whatWasToldIsToldOfItsJobAlone() throws {
        var told = ToldJobs(reserving: 2)
        told.insert("a", try facts("a", "1"))
        told.insert("b", try facts("b", "1"))
        let removed = [told.remove("a"), told.remove("a")]
        #expect(removed == [true, false])
        let nothing = told.update("c", try facts("c", "2"))
        #expect(nothing.map { _ in true } == nil)
        #expect(told.names.sorted() == ["b", "c"])
        #expect(!told.has("a"))
        let (b, c) = (try facts("b", "2"), try facts("c", "2"))
        let (toldB, toldC) = (told.update("b", b), told.update("c", c))
        #expect(b.changes(since: try #require(toldB)) == ["Description"])
        #expect(c.changes(since: try #require(toldC)).isEmpty)
    }
}
