import Schedules
import Scheduling
import Testing

/// Queues that clients fill and empty.
@Suite struct QueueTests {
    private func push(_ rig: Rig, _ json: String = "1", to queue: String = "q") -> Reply? {
        rig.ask { .queuePushed(queue: queue, json: json, ticket: $0) }
    }

    private func pop(_ rig: Rig, from queue: String = "q") -> Reply? {
        rig.ask { .queuePopped(queue: queue, ticket: $0) }
    }

    private func acknowledge(_ rig: Rig, _ id: String, of queue: String = "q") -> Reply? {
        rig.ask { .queueAcknowledged(queue: queue, id: id, ticket: $0) }
    }

    private func item(_ reply: Reply?) -> QueueItem? {
        if case .item(let item)? = reply { item } else { nil }
    }

    @Test func `items come in the order in which they were pushed, each until it is acknowledged`() {
        let rig = Rig([])
        for number in 1...3 { #expect(item(push(rig, "\(number)"))?.json == "\(number)") }
        #expect(rig.scheduler.queues == [QueueTotals(queue: "q", items: 3, bytes: 3)])
        let first = item(pop(rig))
        #expect(first?.json == "1")
        #expect(first?.takenUntil == rig.now + Scheduler.queueVisibility && first?.deliveries == 1)
        #expect(item(pop(rig))?.json == "2")
        #expect(rig.scheduler.queueItems("q", limit: 20, now: rig.now).map(\.json) == ["3"])
        #expect(acknowledge(rig, "\(first?.id ?? 0)") == .done)
        #expect(acknowledge(rig, "\(first?.id ?? 0)") == .refused(.noSuchItem(id: "\(first?.id ?? 0)", queue: "q")))
        #expect(rig.scheduler.queues == [QueueTotals(queue: "q", items: 2, bytes: 2)])
        rig.advance(to: rig.now + Scheduler.queueVisibility)
        let again = item(pop(rig))
        #expect(again?.json == "2" && again?.deliveries == 2, "nobody has acknowledged it in time")
    }

    @Test func `requests of one turn do not get the same item`() {
        let rig = Rig([])
        for number in 1...2 { _ = push(rig, "\(number)") }
        rig.sendTogether([
            .queuePopped(queue: "q", ticket: 101), .queuePushed(queue: "q", json: "3", ticket: 102),
            .queuePopped(queue: "q", ticket: 103), .queuePopped(queue: "q", ticket: 104),
            .queuePopped(queue: "q", ticket: 105), .queueAcknowledged(queue: "q", id: "3", ticket: 106),
            .queueAcknowledged(queue: "q", id: "3", ticket: 107), .queueAcknowledged(queue: "q", id: "1", ticket: 108),
            .queuePushed(queue: "q", json: "4", ticket: 109), .queueAcknowledged(queue: "q", id: "4", ticket: 110),
        ])
        #expect([101, 103, 104].map { item(rig.replies[$0])?.json } == ["1", "2", "3"])
        #expect(rig.replies[105] == .refused(.queueEmpty("q")))
        #expect(rig.replies[106] == .done)
        #expect(rig.replies[107] == .refused(.noSuchItem(id: "3", queue: "q")))
        #expect(rig.replies[108] == .done)
        #expect(rig.replies[110] == .done, "an item that was pushed in the same turn")
        #expect(rig.store.items.keys.sorted() == [2])
        #expect(rig.scheduler.queues == [QueueTotals(queue: "q", items: 1, bytes: 1)])
    }

    @Test func `what was not committed shows in no query`() {
        let rig = Rig([])
        _ = push(rig)
        _ = rig.scheduler.handle(.queuePushed(queue: "q", json: "2", ticket: 1), at: rig.now)
        _ = rig.scheduler.handle(.queuePopped(queue: "q", ticket: 2), at: rig.now)
        #expect(rig.scheduler.queueItems("q", limit: 9, now: rig.now).isEmpty)
    }

    @Test(arguments: ["x", "", "-1", "99", "9223372036854775808", "1 "])
    func `only an item of this queue is acknowledged`(
        _ id: String
    ) {
        let rig = Rig([])
        _ = push(rig)
        #expect(acknowledge(rig, id) == .refused(.noSuchItem(id: id, queue: "q")))
        #expect(acknowledge(rig, "1", of: "other") == .refused(.noSuchItem(id: "1", queue: "other")))
        #expect(acknowledge(rig, "1") == .done)
    }

    @Test func `each bound refuses with its number, and nothing of it remains`() {
        let rig = Rig([])
        func isRefused(_ reply: Reply?, _ words: String) -> Bool {
            if case .refused(.limitExceeded(let why))? = reply { why.contains(words) } else { false }
        }
        let long = String(repeating: "x", count: Scheduler.Limits.queueItemBytes)
        #expect(isRefused(push(rig, long + "x"), "65537 bytes; at most 65536"))
        #expect(rig.store.items.isEmpty)
        #expect(item(push(rig, long)) != nil)
        for number in 2...Scheduler.Limits.queues { _ = push(rig, to: "q\(number)") }
        #expect(isRefused(push(rig, to: "more"), "100 queues are there; at most 100"))
        #expect(item(push(rig)) != nil, "one that is there takes more")
        let small = Rig([])
        small.sendTogether(
            (1...Scheduler.Limits.itemsPerQueue).map { .queuePushed(queue: "q", json: "1", ticket: $0 + 1000) })
        #expect(isRefused(push(small), "10000 items are in it; at most 10000"))
        #expect(small.store.items.count == Scheduler.Limits.itemsPerQueue)
        #expect(item(push(small, to: "other")) != nil)
        let full = Rig([])
        full.sendTogether(
            (0..<Scheduler.Limits.queueBytes / Scheduler.Limits.queueItemBytes).map {
                .queuePushed(queue: "q", json: long, ticket: $0 + 1000)
            })
        #expect(isRefused(push(full), "268435456 bytes; at most 268435456"))
    }

    @Test func `a start gives back what clients had, a scheduler that is built anew does not`() {
        let rig = Rig([])
        _ = push(rig)
        _ = pop(rig)
        rig.rebuild(at: "00:01")
        #expect(pop(rig) == .refused(.queueEmpty("q")))
        rig.restart(at: "00:02")
        #expect(item(pop(rig))?.deliveries == 2)
    }

    @Test func `an id is never given out again`() {
        let rig = Rig([])
        let first = item(push(rig))?.id ?? 0
        #expect(acknowledge(rig, "\(first)") == .done)
        rig.restart(at: "00:01")
        #expect(item(push(rig))?.id == first + 1)
    }

    /// An item that somebody had taken by a clock that was ahead was out of reach until that instant.
    @Test func `an item that was taken by a clock that was ahead comes again in time`() {
        let rig = Rig([], at: "+5 00:00")
        _ = push(rig)
        _ = pop(rig)
        rig.stepClock(by: .seconds(-5 * 86_400))
        #expect(item(pop(rig)) != nil)
    }

    @Test func `a scheduler that stops refuses every request for new work, and a forgotten definition is one`() {
        let rig = Rig([job("a", "0 9 * * *")])
        _ = push(rig)
        rig.send(.stopping)
        let requests: [(Ticket) -> Event] = [
            { .queuePushed(queue: "q", json: "1", ticket: $0) }, { .queuePopped(queue: "q", ticket: $0) },
            { .queueAcknowledged(queue: "q", id: "1", ticket: $0) }, { .definitionForgotten(job: "x", ticket: $0) },
            { .schedulerToggled(false, ticket: $0) }, { .skipRequested(job: "a", ticket: $0) },
            { .jobToggled(job: "a", isEnabled: false, until: nil, ticket: $0) },
            { .jobCancelled(job: "a", ticket: $0) }, { .jobUpserted(job("b"), ticket: $0) },
            { .runRequested(RunRequest(job: "a"), ticket: $0) },
            { .runOnce(job("c"), RunRequest(job: "c"), ticket: $0) },
        ]
        for request in requests { #expect(rig.ask(request) == .refused(.stopping)) }
        #expect(rig.store.items.count == 1 && rig.scheduler.isEnabled)
        // A fact is none: what a file says is taken up.
        rig.send(.schedulerToggled(false))
        #expect(!rig.scheduler.isEnabled)
    }
}
