import Schedules

/// A message that is not settled.
final class ActiveMessage {
    var message: Message
    /// Decides between equals: earlier decided, earlier sent.
    let sequence: Int
    /// Waits for an instant: the end of quiet hours, its next sending, room for its target.
    var timer: TimerQueue.Owner?
    /// It was given to whoever sends it.
    var isOut = false
    /// It had to wait before it could be sent at all: with others that had to it becomes one.
    var isDelayed = false
    /// The messages that this one tells of.
    var gathered: [ActiveMessage] = []
    var isSettled = false
    var isTouched = false

    init(_ message: Message, sequence: Int) {
        self.message = message
        self.sequence = sequence
    }

    /// Whether it may wait, and be one of several that become one: it was never sent, and gathers none itself.
    var isLoose: Bool {
        message.sendings == 0 && gathered.isEmpty && message.occasion != .asked && !message.isHeartbeat
    }
}

/// Messages that are not settled, oldest first in each row.
struct Post {
    var active: [String: ActiveMessage] = [:]
    /// Those that may be sent now.
    var ready: [ActiveMessage] = []
    /// By target, when messages were sent in the last minute, oldest first.
    var recent: [String: [Instant]] = [:]
    var sequence = 0
    /// By job, its newest heartbeat.
    var heartbeats: [String: ActiveMessage] = [:]
    /// What gives way where there are too many: the successes before the rest.
    private var successes = Row()
    private var others = Row()

    mutating func add(_ message: Message) -> ActiveMessage {
        sequence += 1
        let active = ActiveMessage(message, sequence: sequence)
        self.active[message.id] = active
        switch message.occasion {
        case .success, .changed, .recovered, .start: successes.append(active)
        default: others.append(active)
        }
        return active
    }

    /// The one that goes first.
    mutating func popExpendable() -> ActiveMessage? { successes.popFirst() ?? others.popFirst() }

    /// A queue from which those that are settled vanish.
    private struct Row {
        private var items: [ActiveMessage] = []
        private var first = 0

        mutating func append(_ active: ActiveMessage) {
            // Most are settled in about this order: what is kept is little more than what waits.
            while first < items.count, items[first].isSettled { first += 1 }
            if 2 * first >= items.count {
                items.removeFirst(first)
                first = 0
            }
            items.append(active)
        }

        mutating func popFirst() -> ActiveMessage? {
            while first < items.count {
                first += 1
                if !items[first - 1].isSettled { return items[first - 1] }
            }
            return nil
        }
    }
}
