extension Scheduler {
    /// Of all jobs, sorted.
    public var jobNames: [String] { placesByName.compactMap { places[$0]?.job.name } }

    /// All jobs, sorted by their names.
    var entriesByName: [JobEntry] { placesByName.compactMap { places[$0] } }

    /// Where they stand in `places`.
    ///
    /// Most names are told apart by their first sixteen bytes. To compare those as numbers takes a quarter of the time
    /// that comparing strings does, which for a hundred thousand is 40 ms.
    private var placesByName: [Int] {
        var heads: [NameHead] = []
        heads.reserveCapacity(jobs.count)
        for place in places.indices {
            guard let entry = places[place] else { continue }
            // Swift's order of other strings is not that of their bytes.
            guard let head = NameHead(entry.job.name, place) else {
                return places.indices.filter { places[$0] != nil }.sorted { name(at: $0) < name(at: $1) }
            }
            heads.append(head)
        }
        heads.sort { left, right in
            if left.first != right.first { return left.first < right.first }
            if left.second != right.second { return left.second < right.second }
            return name(at: left.place) < name(at: right.place)
        }
        return heads.map(\.place)
    }

    private func name(at place: Int) -> String { places[place]?.job.name ?? "" }
}

/// The first sixteen bytes of a name as numbers, of which the greater is that of the name that comes later.
private struct NameHead {
    let first: UInt64
    let second: UInt64
    /// Whose name it is.
    let place: Int

    /// Nil where not all of the name is ASCII.
    init?(_ name: String, _ place: Int) {
        self.place = place
        var words: (UInt64, UInt64) = (0, 0)
        var count = 0
        for byte in name.utf8 {
            guard byte < 0x80 else { return nil }
            switch count {
            case ..<8: words.0 |= UInt64(byte) << UInt64(56 - 8 * count)
            case ..<16: words.1 |= UInt64(byte) << UInt64(120 - 8 * count)
            default: break
            }
            count += 1
        }
        (first, second) = words
    }
}
