extension Attempts {
    enum Limits {
        /// Launches of one turn of the loop.
        static let launchUSec: UInt64 = 20_000
        /// One that is short of descriptors, processes or memory is tried again so much later, as often as it takes.
        static let shortageUSec: UInt64 = 1_000_000
        /// So long after the last of several attempts, without another one, memory that only they need is given back.
        static let quietUSec: UInt64 = 5_000_000
        /// An answer that cannot be written is tried again so much later, as often as it takes.
        static let answerUSec: UInt64 = 1_000_000
        /// So long after the daemon's start, which needs most of the program.
        static let startUSec: UInt64 = 500_000
    }
}
