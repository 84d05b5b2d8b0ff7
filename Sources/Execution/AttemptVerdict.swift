internal import Processes

/// What became of an attempt whose supervisor is gone: by its outcome, and where there is none by how the supervisor
/// exited (`SupervisorExit` has the table) and by what it wrote down before.
struct AttemptVerdict {
    private let folder: AttemptFolder
    private let startedUSec: Int64
    /// Whether its gate was never opened.
    var isAtGate = false
    /// Of the supervisor; nil where it was not our child.
    var exit: ProcessExit.Ending?
    /// Of what the supervisor has started (`ProcessIdentity.mark`), where the folder does not name it any more.
    var mark: String?

    init(_ folder: AttemptFolder, startedUSec: Int64) {
        self.folder = folder
        self.startedUSec = startedUSec
    }

    /// Where nobody can say how it ended, what it left is killed.
    ///
    /// - Throws: where its outcome may be there and cannot be read now.
    func report() throws(ExecutionError) -> AttemptReport {
        if let outcome = try folder.readOutcome() {
            return AttemptReport(outcome, output: folder.output.excerpt())
        }
        let ending = ending()
        let now = SystemClock.realtime.nowUSec
        guard case .lost = ending else {
            return AttemptReport(ending, isSupervisorKilledBefore: hasNotBegun && !hasExited, at: now)
        }
        folder.killLeftovers()
        if let mark { ProcessTree.kill(marked: mark) }
        return AttemptReport(ending, startedUSec: startedUSec, endedUSec: now, output: folder.output.excerpt())
    }

    private func ending() -> AttemptReport.Ending {
        if case .exited(let status) = exit, let meaning = SupervisorExit(rawValue: status) {
            switch meaning {
            case .recorded: return .lost("it ended, and \(missing) before it was read")
            case .unrecorded: return .lost("it ran, and how it ended could not be recorded: \(hindrance)")
            case .shortOfResources:
                return .shortOfResources("cannot set up the supervisor of the run: \(Self.shortage)")
            case .noRequest, .notBegun:
                return .couldNotStart("the supervisor of the run could not begin its work: it \(exitText)")
            }
        }
        if hasNotBegun {
            return .couldNotStart("the supervisor of the run ended before the run began: it \(exitText)")
        }
        return .lost("it ran, and how it ended is not known: its supervisor \(exitText)")
    }

    /// Nothing of the job is before the gate, and none but the supervisor itself says that it went past it.
    private var hasNotBegun: Bool { isAtGate || (!folder.hasBegun && folder.isNamed) }

    /// Whether the supervisor ended by itself.
    private var hasExited: Bool { if case .exited = exit { true } else { false } }

    private static var shortage: String { "no fds, memory or processes are left; let fewer runs be active" }

    private var missing: String { folder.exists ? "its record is gone" : "its folder is gone" }

    private var hindrance: String { folder.exists ? "its folder cannot be written" : "its folder is gone" }

    private var exitText: String {
        switch exit {
        case .exited(let status): "exited with status \(status)"
        case .signaled(let signal, _): "was killed by signal \(signal)"
        case .lost, nil: "is gone"
        }
    }
}
