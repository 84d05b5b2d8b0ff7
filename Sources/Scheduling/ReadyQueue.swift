import Schedules

/// Runs that have their turn and wait for a limit of the scheduler: forced ones first, then by priority, by fire time,
/// by age.
///
/// A binary heap. A run that is taken out of order (cancelled) stays in it and is passed over when it comes up; once
/// half of them are such, they are cleared out.
struct ReadyQueue {
    /// A run, and what its place depends on: none of it changes while the run is here.
    private struct Entry {
        let active: ActiveRun
        let isForced: Bool
        let priority: Int
        let instant: Instant
        let sequence: Int

        init(_ active: ActiveRun) {
            self.active = active
            isForced = active.run.isForced
            priority = active.job.priority
            instant = active.run.scheduledFor ?? active.run.createdAt
            sequence = active.sequence
        }

        func isBefore(_ other: Entry) -> Bool {
            if isForced != other.isForced { return isForced }
            if priority != other.priority { return priority < other.priority }
            return instant != other.instant ? instant < other.instant : sequence < other.sequence
        }
    }

    private var heap: [Entry] = []
    private var abandoned = 0

    mutating func insert(_ active: ActiveRun) {
        heap.append(Entry(active))
        siftUp(from: heap.count - 1)
    }

    /// Says that a run in the queue is not ready any more.
    mutating func abandonOne() {
        abandoned += 1
        guard abandoned * 2 > heap.count else { return }
        keep(heap.filter { $0.active.phase == .ready })
    }

    /// Takes out one that may come again, at the cost of a look at all.
    mutating func remove(_ active: ActiveRun) {
        keep(heap.filter { $0.active !== active && $0.active.phase == .ready })
    }

    private mutating func keep(_ kept: [Entry]) {
        heap.removeAll(keepingCapacity: true)
        abandoned = 0
        for entry in kept { insert(entry.active) }
    }

    /// The first that is still ready.
    mutating func first() -> ActiveRun? {
        while let first = heap.first?.active {
            if first.phase == .ready { return first }
            removeFirst()
            abandoned = max(0, abandoned - 1)
        }
        return nil
    }

    mutating func removeFirst() {
        let last = heap.removeLast()
        guard !heap.isEmpty else { return }
        heap[0] = last
        siftDown()
    }

    private mutating func siftUp(from start: Int) {
        var place = start
        while place > 0 {
            let parent = (place - 1) / 2
            guard heap[place].isBefore(heap[parent]) else { break }
            heap.swapAt(place, parent)
            place = parent
        }
    }

    private mutating func siftDown() {
        var place = 0
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2]
            where child < heap.count && heap[child].isBefore(heap[least]) {
                least = child
            }
            guard least != place else { return }
            heap.swapAt(place, least)
            place = least
        }
    }
}
