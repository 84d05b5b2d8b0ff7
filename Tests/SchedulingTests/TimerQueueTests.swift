import Schedules
import Testing

@testable import Scheduling

/// Timers that are armed in one go are those that are armed one by one.
@Suite struct TimerQueueTests {
    @Test func manyAtOnceAreAsOneByOne() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = RandomSource(seed: seed)
        for _ in 0..<300 {
            var (one, many) = (TimerQueue(), TimerQueue())
            let count = Int.random(in: 0...40, using: &random)
            let owners = (0..<count).map { _ in (one.add(), many.add()).0 }
            func instant() -> Instant? {
                Bool.random(using: &random) ? Instant(seconds: Int64.random(in: 0..<10, using: &random)) : nil
            }
            for _ in 0..<3 {
                let chosen = owners.filter { _ in Int.random(in: 0..<3, using: &random) > 0 }
                let instants = chosen.map { (owner: $0, at: instant()) }
                for (owner, at) in instants {
                    if let at { one.arm(owner, at: at) } else { one.disarm(owner) }
                }
                many.arm(instants)
                #expect(owners.map { one.instant(of: $0) } == owners.map { many.instant(of: $0) }, "seed \(seed)")
                // What comes up is used as it is after each of them, too.
                if let owner = one.popDue(Instant(seconds: 1)) { #expect(many.popDue(Instant(seconds: 1)) == owner) }
            }
            while let owner = one.popDue(Instant(seconds: 100)) { #expect(many.popDue(Instant(seconds: 100)) == owner) }
            #expect(many.count == 0, "seed \(seed)")
        }
    }
}
