import EventLoop
import TestSupport
import Testing

@testable import Desktop

@Suite struct DebounceTests {
    /// A little less than it waits for quiet.
    private static let soonUSec: UInt64 = 250_000

    @Test func theFirstIsToldAtOnceAndFlappingOnceAtItsEnd() throws {
        let loop = try EventLoop()
        var tells: [UInt64] = []
        let debounce = Debounce(loop) { tells.append(EventLoop.Clock.monotonic.nowUSec) }
        debounce.changed()
        #expect(tells.count == 1)
        var last: UInt64 = 0
        // Each comes before there was quiet, and all of it takes longer than quiet does.
        for _ in 0..<4 {
            let gap = EventLoop.Clock.monotonic.nowUSec - last
            // On a machine that stood still meanwhile, there was quiet.
            guard last == 0 || gap < 400_000 else { return }
            last = EventLoop.Clock.monotonic.nowUSec
            debounce.changed()
            try loop.turn(forUSec: Self.soonUSec)
            #expect(tells.count == 1)
        }
        try loop.turn(until: "the end of the flapping") { tells.count == 2 }
        #expect(tells[1] - last >= 400_000)
        try loop.turn(forUSec: 500_000)
        #expect(tells.count == 2)
    }

    @Test func oneThatIsLetGoTellsNothing() throws {
        let loop = try EventLoop()
        var tells = 0
        do {
            let debounce = Debounce(loop) { tells += 1 }
            debounce.changed()
            debounce.changed()
        }
        try loop.turn(forUSec: 500_000)
        #expect(tells == 1)
    }
}
