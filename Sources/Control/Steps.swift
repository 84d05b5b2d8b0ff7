internal import DBus
internal import EventLoop
internal import Performing

/// Work over every job, for answers that would hold the loop: one step a turn, one answer at a time.
///
/// The first step runs at once where nobody else is at it, so that what is small is answered as any other call. Between
/// two steps everything else has its turn, and each reads only what is durable by then: an answer over many jobs tells
/// of each how it stood when it was its turn.
final class Steps {
    /// Jobs that are looked at in one step: 5 ms where each is made into text.
    static let jobsPerStep = 500
    /// Answers that wait for their first step. Beyond it the call is refused with `LimitsExceeded`.
    static let waitingMax = 100

    /// - Returns: whether there is more to do.
    typealias Step = () -> Bool

    private let intake: any Intake
    private var source: DeferredSource?
    private var waiting: [Step] = []
    /// Steps that were taken since the start.
    private(set) var count = 0

    init(intake: any Intake, loop: EventLoop) throws(EventLoopError) {
        self.intake = intake
        source = try loop.deferred(priority: .idle) { [weak self] in self?.proceed() }
    }

    /// - Throws: `LimitsExceeded`.
    func begin(_ step: @escaping Step) throws(ErrorReply) {
        guard waiting.count < Self.waitingMax else {
            throw ErrorReply(
                .limitsExceeded,
                "cannot list jobs: \(waiting.count) such answers are waited for; at most \(Self.waitingMax)")
        }
        if waiting.isEmpty, !take(step) { return }
        waiting.append(step)
        source?.schedule()
    }

    func stop() {
        waiting = []
        source?.cancel()
    }

    private func take(_ step: Step) -> Bool {
        count += 1
        return step()
    }

    private func proceed() {
        intake.whenDurable { [weak self] in
            guard let self, let step = waiting.first else { return }
            if !take(step), !waiting.isEmpty { waiting.removeFirst() }
            if !waiting.isEmpty { source?.schedule() }
        }
    }
}
