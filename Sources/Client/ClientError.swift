public import Contract

/// Why the daemon was not reached, or did not do what it was asked.
public enum ClientError: Error, Hashable, Sendable {
    /// There is no bus to connect to.
    case noBus(reason: String)
    /// The bus was there, and is gone.
    case disconnected(reason: String)
    /// No daemon runs, and none was to be started.
    case noDaemon
    /// The bus was asked to start the daemon, and it did not come; `name` is the bus's error.
    case cannotStart(name: String, reason: String)
    /// Nobody answered within so many seconds. The request may take effect all the same.
    case timedOut(MethodName?, seconds: Double)
    /// The daemon left the bus before it answered. What it had decided it goes on with when it is back.
    case lost(MethodName?)
    /// The daemon, or the bus for it, answered with an error.
    case refused(Refused, message: String)
    case unreadableAnswer(MethodName?, reason: String)
    /// This program could not go on: no event loop, no timer.
    case `internal`(reason: String)

    /// By which error a request was refused: one of the daemon's, or another by its name on the bus.
    public enum Refused: Hashable, Sendable {
        case service(ServiceError)
        case other(name: String)

        init(name: String) {
            self = ServiceError(name: name).map { .service($0) } ?? .other(name: name)
        }

        /// As the bus has it.
        public var name: String {
            switch self {
            case .service(let error): error.name
            case .other(let name): name
            }
        }
    }

    /// Whether the daemon went away rather than said no: what was asked may be asked again when it is back.
    public var isAbsence: Bool {
        switch self {
        case .lost, .noDaemon, .refused(.service(.busy), _): true
        default: false
        }
    }

    /// Whether the daemon does not know the method, being older than this program.
    public var isUnknownMethod: Bool {
        if case .refused(.other(BusError.unknownMethod.name), _) = self { true } else { false }
    }

    // MARK: - For command lines

    /// With what a command line ends for it.
    public var exitCode: Int32 {
        switch self {
        case .noBus, .disconnected, .noDaemon, .cannotStart, .lost: ExitCode.unavailable
        case .timedOut: ExitCode.timedOut
        case .refused(.service(let error), _): error.exitCode
        case .refused(.other(let name), _): BusError(name: name)?.exitCode ?? ExitCode.failure
        case .unreadableAnswer, .internal: ExitCode.failure
        }
    }

    /// For programs: the name of the bus's error, or one of our own.
    public var name: String {
        switch self {
        case .noBus: BusError.noServer.name
        case .disconnected: BusError.disconnected.name
        case .noDaemon: BusError.serviceUnknown.name
        case .cannotStart(let name, _): name
        case .timedOut, .lost: BusError.noReply.name
        case .refused(let refused, _): refused.name
        case .unreadableAnswer: ProgramError.badAnswer.name
        case .internal: ProgramError.internal.name
        }
    }

    /// What went wrong, for people: one sentence without a full stop. It names no method of the bus, but the message of
    /// a refusal is the daemon's own.
    public var sentence: String {
        switch self {
        case .noBus(let reason): reason
        case .disconnected(let reason): "the connection to the bus is lost: \(reason)"
        case .noDaemon: "no daemon runs on this bus"
        case .cannotStart(_, let reason): "the bus could not start the daemon: \(reason)"
        case .timedOut(_, let seconds): "the daemon did not answer within \(Self.text(seconds)) s"
        case .lost: "the daemon left the bus before it answered"
        case .refused(_, let message): message
        case .unreadableAnswer(_, let reason): "cannot read the answer of the daemon: \(reason)"
        case .internal(let reason): reason
        }
    }

    /// What to do next, one line each.
    public var advice: [String] {
        switch self {
        case .noBus: ["--bus ADDRESS names another bus; dbus-run-session -- COMMAND starts one for a command"]
        case .disconnected: ["try again; the daemon takes up where it was"]
        case .noDaemon: ["start it: systemctl --user start bot-cron.service (or, without systemd: botcrond &)"]
        case .cannotStart:
            [
                "see why: systemctl --user status bot-cron.service; is its configuration good? botcronctl validate",
                "when it is mended: systemctl --user start bot-cron.service",
            ]
        case .lost: ["try again; the daemon takes up where it was. See why: journalctl --user -u bot-cron"]
        case .unreadableAnswer: ["are botcronctl and the daemon of one version? botcronctl version"]
        case _ where isUnknownMethod: ["the daemon may be older than this program: botcronctl version"]
        case .timedOut, .refused, .internal: []
        }
    }

    /// `20` rather than `20.0`.
    private static func text(_ seconds: Double) -> String {
        seconds == seconds.rounded() && abs(seconds) < 1e15 ? "\(Int64(seconds))" : "\(seconds)"
    }
}
