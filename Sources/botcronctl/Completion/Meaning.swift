extension Verb {
    /// What a word of the command line is, for shells that complete it.
    enum Meaning: Sendable, Equatable {
        /// Free text, or a name that is new.
        case text
        case job, run, jobOrRun, file, folder, zone, verb, page
        case choice([String])
    }
}

/// What shells ask this program for while a word is typed: one name a line.
enum AskedNames: String, CaseIterable, Sendable {
    case jobs, runs, zones
}
