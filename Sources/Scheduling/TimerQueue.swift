public import Schedules

/// The instants that the scheduler waits for, earliest first: one per owner.
///
/// A 4-ary heap with the place of each owner, so that arming, moving and removing a timer cost O(log n) without a
/// search. Owners are small integers, handed out and taken back by the queue. Equal instants come in the order of
/// their owners' numbers, which keeps a simulation repeatable.
public struct TimerQueue: Sendable {
    public typealias Owner = Int32

    private struct Entry {
        var at: Int64
        var owner: Owner

        func isBefore(_ other: Entry) -> Bool { at != other.at ? at < other.at : owner < other.owner }
    }

    private var heap: ContiguousArray<Entry> = []
    /// The place in `heap` by owner; −1: not armed.
    private var places: ContiguousArray<Int32> = []
    private var free: [Owner] = []

    public init() {}

    public var count: Int { heap.count }

    /// A new owner, not armed.
    public mutating func add() -> Owner {
        if let owner = free.popLast() { return owner }
        places.append(-1)
        return Owner(places.count - 1)
    }

    /// Takes an owner back; its number may be handed out again.
    public mutating func remove(_ owner: Owner) {
        disarm(owner)
        free.append(owner)
    }

    /// The earliest instant.
    public var next: Instant? { heap.first.map { Instant(microseconds: $0.at) } }

    /// Who is armed for it; of several the least number.
    public var first: Owner? { heap.first?.owner }

    /// Those who are armed for it, by their numbers; of many, some.
    public func earliest(atMost bound: Int) -> [Owner] {
        guard let next = heap.first?.at else { return [] }
        var found: [Owner] = []
        // Whoever is armed for the same instant has only such above it.
        var places = [0]
        while let place = places.popLast(), found.count < bound {
            guard place < heap.count, heap[place].at == next else { continue }
            found.append(heap[place].owner)
            places += (place << 2 + 1)...(place << 2 + 4)
        }
        return found.sorted()
    }

    /// Those who are armed, earliest first, at most so many. Sorts the whole queue: some 5 ms for 100,000.
    public func soonest(_ limit: Int) -> [Owner] {
        heap.sorted { $0.isBefore($1) }.prefix(limit).map(\.owner)
    }

    public func instant(of owner: Owner) -> Instant? {
        let place = places[Int(owner)]
        return place < 0 ? nil : Instant(microseconds: heap[Int(place)].at)
    }

    public mutating func arm(_ owner: Owner, at instant: Instant) {
        let entry = Entry(at: instant.microseconds, owner: owner)
        let place = places[Int(owner)]
        if place < 0 {
            heap.append(entry)
            siftUp(from: heap.count - 1, entry)
        } else if entry.at < heap[Int(place)].at {
            siftUp(from: Int(place), entry)
        } else {
            siftDown(from: Int(place), entry)
        }
    }

    /// As `arm` for each of them, or `disarm` where the instant is nil; each owner once. Takes time linear in the
    /// number of all timers.
    public mutating func arm(_ instants: [(owner: Owner, at: Instant?)]) {
        for (owner, _) in instants { places[Int(owner)] = -1 }
        heap.removeAll { places[Int($0.owner)] < 0 }
        for (owner, at) in instants { if let at { heap.append(Entry(at: at.microseconds, owner: owner)) } }
        // Floyd's way: every parent, from the last to the first.
        for place in stride(from: (heap.count - 2) >> 2, through: 0, by: -1) where heap.count > 1 {
            siftDown(from: place, heap[place])
        }
        for (place, entry) in heap.enumerated() { places[Int(entry.owner)] = Int32(place) }
    }

    public mutating func disarm(_ owner: Owner) {
        let place = Int(places[Int(owner)])
        guard place >= 0 else { return }
        places[Int(owner)] = -1
        guard let last = heap.popLast(), place < heap.count else { return }
        if last.isBefore(heap[place]) { siftUp(from: place, last) } else { siftDown(from: place, last) }
    }

    /// Removes and returns the earliest owner whose instant is not after `now`.
    public mutating func popDue(_ now: Instant) -> Owner? {
        guard let first = heap.first, first.at <= now.microseconds else { return nil }
        disarm(first.owner)
        return first.owner
    }

    // MARK: - The heap

    private mutating func siftUp(from start: Int, _ entry: Entry) {
        var place = start
        while place > 0 {
            let parent = (place - 1) >> 2
            guard entry.isBefore(heap[parent]) else { break }
            put(heap[parent], at: place)
            place = parent
        }
        put(entry, at: place)
    }

    private mutating func siftDown(from start: Int, _ entry: Entry) {
        var place = start
        while true {
            let first = place << 2 + 1
            guard first < heap.count else { break }
            var least = first
            for child in first + 1..<max(first + 1, min(first + 4, heap.count)) where heap[child].isBefore(heap[least])
            {
                least = child
            }
            guard heap[least].isBefore(entry) else { break }
            put(heap[least], at: place)
            place = least
        }
        put(entry, at: place)
    }

    private mutating func put(_ entry: Entry, at place: Int) {
        heap[place] = entry
        places[Int(entry.owner)] = Int32(place)
    }
}
