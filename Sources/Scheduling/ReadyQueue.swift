/// Runs that have their turn and wait for a limit of the scheduler: by priority, then by fire time, then by age.
///
/// A binary heap; a run that is taken out of order (cancelled) stays in it and is passed over when it comes up.
struct ReadyQueue {
    private var heap: [ActiveRun] = []

    var isEmpty: Bool { heap.isEmpty }

    mutating func insert(_ active: ActiveRun) {
        heap.append(active)
        var place = heap.count - 1
        while place > 0 {
            let parent = (place - 1) / 2
            guard Self.isBefore(heap[place], heap[parent]) else { break }
            heap.swapAt(place, parent)
            place = parent
        }
    }

    /// The first that is still ready.
    mutating func popFirst() -> ActiveRun? {
        while let first = heap.first {
            let last = heap.removeLast()
            if !heap.isEmpty {
                heap[0] = last
                siftDown()
            }
            if first.phase == .ready { return first }
        }
        return nil
    }

    private mutating func siftDown() {
        var place = 0
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < heap.count && Self.isBefore(heap[child], heap[least]) {
                least = child
            }
            guard least != place else { return }
            heap.swapAt(place, least)
            place = least
        }
    }

    private static func isBefore(_ one: ActiveRun, _ other: ActiveRun) -> Bool {
        if one.job.priority != other.job.priority { return one.job.priority < other.job.priority }
        let (first, second) = (one.run.scheduledFor ?? one.run.createdAt, other.run.scheduledFor ?? other.run.createdAt)
        return first != second ? first < second : one.sequence < other.sequence
    }
}
