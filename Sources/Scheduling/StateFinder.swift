/// Finds what is remembered of jobs by their names.
///
/// Whoever asks in the order of the store, as the reader of a config.json that is as it was, is answered by one
/// comparison; only for others a table of all names is made.
public struct StateFinder {
    private let states: [JobState]
    /// The place that is looked at first.
    private var next = 0
    private var places: [String: Int]?

    public init(_ states: [JobState]) { self.states = states }

    /// Where the state of that job stands; nil where nothing is remembered.
    public mutating func place(of job: String) -> Int? {
        if next < states.count, states[next].job == job {
            next += 1
            return next - 1
        }
        // Whoever has looked it up for one reason may do so for another.
        if next > 0, states[next - 1].job == job { return next - 1 }
        if places == nil {
            var table: [String: Int] = [:]
            table.reserveCapacity(states.count)
            for (place, state) in states.enumerated() { table[state.job] = place }
            places = table
        }
        guard let place = places?[job] else { return nil }
        next = place + 1
        return place
    }
}
