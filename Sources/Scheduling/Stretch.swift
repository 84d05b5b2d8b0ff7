import Schedules

/// Undecided fire times of a job, ascending: the newest one by one, the older ones by their ends and their number.
struct Stretch {
    struct Older {
        var first: Instant
        var last: Instant
        var count: Int
    }

    /// Nothing at or before this instant belongs to it.
    var after: Instant
    var older: Older?
    var fires: [Instant]

    var isEmpty: Bool { older == nil && fires.isEmpty }
    var count: Int { (older?.count ?? 0) + fires.count }
    var first: Instant? { older?.first ?? fires.first }
    var last: Instant? { fires.last ?? older?.last }

    /// Takes the newest out; nil where there is none.
    mutating func popNewest(of entry: JobEntry) -> Instant? {
        if let last = fires.popLast() { return last }
        guard let part = older else { return nil }
        older = entry.fireTime(atOrBefore: part.last - .microseconds(1)).flatMap {
            part.count > 1 ? Older(first: part.first, last: $0, count: part.count - 1) : nil
        }
        return part.last
    }

    /// Takes the newest out, `count` at most, ascending; what is left is in `older`.
    mutating func takeNewest(_ count: Int, of entry: JobEntry) -> [Instant] {
        var taken: [Instant] = []
        while taken.count < count, let fire = popNewest(of: entry) { taken.append(fire) }
        if let first = fires.first, let last = fires.last {
            older = Older(first: older?.first ?? first, last: last, count: self.count)
            fires = []
        }
        return taken.reversed()
    }

    /// Takes out what is not after `edge`.
    mutating func removeAll(through edge: Instant, of entry: JobEntry) -> Stretch {
        var part = Stretch(after: after, older: nil, fires: [])
        let boundary = fires.firstIndex { $0 > edge } ?? fires.count
        part.fires = Array(fires[..<boundary])
        fires.removeFirst(boundary)
        after = max(after, edge)
        guard let whole = older else { return part }
        if whole.last <= edge {
            part.older = whole
            older = nil
        } else if whole.first <= edge, let last = entry.fireTime(atOrBefore: edge) {
            // The edge lies within: count one side.
            let count = entry.countFireTimes(after: whole.first - .microseconds(1), through: last)
            part.older = Older(first: whole.first, last: last, count: count)
            older = entry.fireTime(after: last).map { Older(first: $0, last: whole.last, count: whole.count - count) }
        }
        return part
    }

    /// Puts what follows at the end.
    mutating func append(_ next: Stretch) {
        guard let following = next.older else {
            fires += next.fires
            return
        }
        older = Older(first: first ?? following.first, last: following.last, count: count + following.count)
        fires = next.fires
    }

    /// Keeps the newest `limit` one by one, and returns the rest.
    mutating func removeAll(beyondNewest limit: Int) -> Stretch {
        let kept = min(limit, fires.count)
        let rest = Stretch(after: after, older: older, fires: Array(fires.dropLast(kept)))
        fires.removeFirst(fires.count - kept)
        older = nil
        return rest
    }
}
