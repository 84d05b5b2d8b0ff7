internal import Desktop
internal import Execution
internal import Scheduling

/// A supervisor that waits at its gate, and its place in a scope.
final class GatedSupervisor {
    let handle: AttemptHandle
    /// As it was when the supervisor was started.
    let job: Job
    private var place: Place
    private let waiting = Waiting()

    /// Where it is with its scope.
    private enum Place {
        /// None was asked for.
        case none
        /// The manager has been asked.
        case asked
        /// The manager has been asked, and then nobody wanted it any more: it ends as soon as the manager has answered.
        case askedInVain
        case given(UserManager.Placement)
        case abandoned
    }

    /// Who waits for what; they may hold the attempt, so they are let go when it has ended.
    private final class Waiting {
        var whenPlaced: (() -> Void)?
        var onEnd: ((AttemptReport) -> Void)?
    }

    init(_ runner: Runner, _ request: AttemptRequest, _ job: Job, isPlaced: Bool) {
        self.job = job
        place = isPlaced ? .asked : .none
        handle = runner.start(request, isGated: true) { [waiting] report in
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

    /// Whether a scope was asked for.
    var isPlaced: Bool { if case .none = place { false } else { true } }

    /// The name of its scope; nil where it has none.
    var scope: String? { if case .given(.scope(let name)) = place { name } else { nil } }

    /// Why it has none.
    var failure: String? { if case .given(.refused(let reason)) = place { reason } else { nil } }

    func isUsable(for job: Job) -> Bool {
        switch place {
        case .askedInVain, .abandoned: false
        case .none, .asked, .given: handle.isActive && job == self.job
        }
    }

    /// Calls back once, and at once where it is known already, when it has its scope or will not get one; not after its
    /// end.
    func whenPlaced(_ handler: @escaping () -> Void) {
        guard handle.isActive else { return }
        if case .asked = place { waiting.whenPlaced = handler } else { handler() }
    }

    func placed(_ placement: UserManager.Placement) {
        guard case .asked = place else {
            if case .askedInVain = place { end() }
            return
        }
        place = .given(placement)
        let handler = waiting.whenPlaced
        waiting.whenPlaced = nil
        handler?()
    }

    /// Ends it without its process. Not on its way into its scope: the manager would not notice that this is empty, and
    /// keep it.
    func abandon() {
        if case .asked = place { place = .askedInVain } else { end() }
    }

    private func end() {
        place = .abandoned
        handle.abandon(because: "it was prepared for a run that has not come")
    }
}
