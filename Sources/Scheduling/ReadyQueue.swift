/// Runs that have their turn and wait for a limit of the scheduler: forced ones first, then by priority, by fire time,
/// by age.
///
/// A binary heap. A run that is taken out of order (cancelled) stays in it and is passed over when it comes up; once
/// half of them are such, they are cleared out.
struct ReadyQueue {
    private var heap: [ActiveRun] = []
    private var abandoned = 0

    mutating func insert(_ active: ActiveRun) {
        heap.append(active)
        siftUp(from: heap.count - 1)
    }

    /// Says that a run in the queue is not ready any more.
    mutating func abandonOne() {
        abandoned += 1
        guard abandoned * 2 > heap.count else { return }
        keep(heap.filter { $0.phase == .ready })
    }

    /// Takes out one that may come again, at the cost of a look at all.
    mutating func remove(_ active: ActiveRun) { keep(heap.filter { $0 !== active && $0.phase == .ready }) }

    private mutating func keep(_ kept: [ActiveRun]) {
        heap.removeAll(keepingCapacity: true)
        abandoned = 0
        for active in kept { insert(active) }
    }

    /// The first that is still ready.
    mutating func first() -> ActiveRun? {
        while let first = heap.first {
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
            guard Self.isBefore(heap[place], heap[parent]) else { break }
            heap.swapAt(place, parent)
            place = parent
        }
    }

    private mutating func siftDown() {
        var place = 0
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2]
            where child < heap.count && Self.isBefore(heap[child], heap[least]) {
                least = child
            }
            guard least != place else { return }
            heap.swapAt(place, least)
            place = least
        }
    }

    private static func isBefore(_ one: ActiveRun, _ other: ActiveRun) -> Bool {
        if one.run.isForced != other.run.isForced { return one.run.isForced }
        if one.job.priority != other.job.priority { return one.job.priority < other.job.priority }
        let (first, second) = (one.run.scheduledFor ?? one.run.createdAt, other.run.scheduledFor ?? other.run.createdAt)
        return first != second ? first < second : one.sequence < other.sequence
    }
}
