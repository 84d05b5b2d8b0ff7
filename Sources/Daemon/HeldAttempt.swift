import Desktop
import Execution
import Scheduling

/// A supervisor that waits at its gate.
final class HeldAttempt {
    let handle: AttemptHandle
    /// As it was when the supervisor was started.
    let job: Job
    /// Whether a scope was asked for.
    let isPlaced: Bool
    private var placement: UserManager.Placement?
    private var isAbandoned = false
    private let waiting = Waiting()

    /// Who waits for what; they may hold the attempt, so they are let go when it has ended.
    private final class Waiting {
        var whenPlaced: (() -> Void)?
        var onEnd: ((AttemptReport) -> Void)?
    }

    init(_ runner: Runner, _ request: AttemptRequest, _ job: Job, isPlaced: Bool) {
        self.job = job
        self.isPlaced = isPlaced
        handle = runner.start(request, isHeld: true) { [waiting] report in
            let onEnd = waiting.onEnd
            waiting.whenPlaced = nil
            waiting.onEnd = nil
            onEnd?(report)
        }
    }

    var onEnd: ((AttemptReport) -> Void)? {
        get { waiting.onEnd }
        set { waiting.onEnd = newValue }
    }

    /// The name of its scope; nil where it has none.
    var scope: String? { if case .scope(let name) = placement { name } else { nil } }

    /// Why it has none.
    var failure: String? { if case .refused(let reason) = placement { reason } else { nil } }

    func isUsable(for job: Job) -> Bool { !isAbandoned && handle.isActive && job == self.job }

    /// Calls back once, and at once where it is known already, when it has its scope or will not get one; not after its
    /// end.
    func whenPlaced(_ handler: @escaping () -> Void) {
        guard handle.isActive else { return }
        guard placement == nil else { return handler() }
        waiting.whenPlaced = handler
    }

    func placed(_ placement: UserManager.Placement) {
        self.placement = placement
        if isAbandoned { end() }
        let handler = waiting.whenPlaced
        waiting.whenPlaced = nil
        handler?()
    }

    /// Ends it without its process. Not on its way into its scope: the manager would not notice that this is empty, and
    /// keep it.
    func abandon() {
        isAbandoned = true
        if !isPlaced || placement != nil { end() }
    }

    private func end() { handle.abandon(because: "it was prepared for a run that has not come") }
}
