internal import Execution
internal import Processes

/// Bounded commands beside a run: a remedy before its attempt, a condition's command. Each is an attempt of its own
/// name, in a folder of its own, which is removed when it is over.
///
/// One of a name is ended before another of its name starts: what an earlier daemon has left running, too.
final class Errands {
    private let runner: Runner
    private var active: [String: State] = [:]

    private enum State {
        /// What an earlier daemon left of this name is being ended.
        case clearing
        case running(AttemptHandle)
        /// Its end was asked for before it began.
        case cancelled
    }

    init(_ runner: Runner) {
        self.runner = runner
    }

    var names: [String] { Array(active.keys) }

    func isActive(_ name: String) -> Bool { active[name] != nil }

    /// - Parameters:
    ///   - request: its `run` is the errand's name, its `attempt` 1.
    ///   - then: called once, with nil where it was cancelled before it began.
    func run(_ request: AttemptRequest, then: @escaping (AttemptReport?) -> Void) {
        run(request, outputMax: 0) { report, _ in then(report) }
    }

    /// As above, with the first bytes of what it has written.
    func run(_ request: AttemptRequest, outputMax: Int, then: @escaping (AttemptReport?, [UInt8]) -> Void) {
        let name = request.run
        active[name] = .clearing
        // What is left is ended by its supervisor, which this object outlives.
        runner.endLeftover(run: name, attempt: request.attempt) { [unowned self] in
            guard case .clearing = active[name] else {
                active[name] = nil
                return then(nil, [])
            }
            active[name] = .running(
                // The runner calls back as long as this object lives.
                runner.start(request) { [unowned self] report in
                    active[name] = nil
                    let output =
                        outputMax == 0
                        ? [] : runner.output(run: name, attempt: request.attempt).read(from: 0, limit: outputMax).bytes
                    runner.removeOutput(run: name, attempt: request.attempt)
                    then(report, output)
                })
        }
    }

    func cancel(_ name: String) {
        switch active[name] {
        case .clearing: active[name] = .cancelled
        case .running(let handle) where !handle.isEnding: handle.cancel()
        case .running, .cancelled, nil: break
        }
    }
}
