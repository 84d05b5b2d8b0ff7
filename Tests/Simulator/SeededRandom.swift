import TestSupport

/// Random bits from a seed: the same seed, the same world.
struct SeededRandom: RandomNumberGenerator {
    private var generator: SeededGenerator

    /// Seeds are small numbers in a row: they are spread first. Another way to do so would give a world another seed.
    init(seed: UInt64) { generator = SeededGenerator(seed: seed &* 0x2545_F491_4F6C_DD1D &+ SeededGenerator.step) }

    mutating func next() -> UInt64 { generator.next() }

    /// True once in `odds` times.
    mutating func chance(_ odds: Int) -> Bool { next() % UInt64(odds) == 0 }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }

    mutating func pick<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }

    /// Seconds from one to `most`, small ones as likely as large ones.
    mutating func seconds(upTo most: Int) -> Int64 {
        var bound = most
        let halvings = below(12)
        for _ in 0..<halvings where bound > 2 { bound /= 2 }
        return Int64(1 + below(bound))
    }
}
