/// Random bits from a seed (SplitMix64): the same seed, the same world.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x2545_F491_4F6C_DD1D &+ 0x9E37_79B9_7F4A_7C15 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }

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
