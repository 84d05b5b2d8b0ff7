/// The errors of the bus itself that a client of the daemon meets, and those that the daemon answers with under the
/// bus's own names, with the exit code of a command line that ends for them.
public enum BusError: String, NamedError, CaseIterable, Sendable {
    case invalidArgs = "InvalidArgs"
    case limitsExceeded = "LimitsExceeded"
    case accessDenied = "AccessDenied"
    case unknownMethod = "UnknownMethod"
    case unknownInterface = "UnknownInterface"
    case unknownObject = "UnknownObject"
    case unknownProperty = "UnknownProperty"
    case propertyReadOnly = "PropertyReadOnly"
    case failed = "Failed"
    case noServer = "NoServer"
    case serviceUnknown = "ServiceUnknown"
    case nameHasNoOwner = "NameHasNoOwner"
    case noReply = "NoReply"
    case disconnected = "Disconnected"

    public static let prefix = "org.freedesktop.DBus.Error."

    public var exitCode: Int32 {
        switch self {
        case .noServer, .serviceUnknown, .nameHasNoOwner, .disconnected: ExitCode.unavailable
        case .noReply: ExitCode.timedOut
        case .invalidArgs, .limitsExceeded, .accessDenied, .unknownMethod, .unknownInterface, .unknownObject,
            .unknownProperty, .propertyReadOnly, .failed:
            ExitCode.failure
        }
    }

    public var meaning: String {
        switch self {
        case .invalidArgs: "an argument cannot be read; which, what was found and what is expected is said"
        case .limitsExceeded: "a bound of the daemon or of the bus is reached"
        case .accessDenied: "the bus does not let this program speak to the daemon"
        case .unknownMethod: "the daemon has no such method: it may be older than its client"
        case .unknownInterface: "the object has no such interface"
        case .unknownObject: "there is no such object"
        case .unknownProperty: "the object has no such property"
        case .propertyReadOnly: "the property is not set from outside"
        case .failed: "a failure without a name of its own"
        case .noServer: "there is no bus"
        case .serviceUnknown, .nameHasNoOwner: "no daemon runs on the bus"
        case .noReply: "no answer came in time, or the daemon left before it answered"
        case .disconnected: "the connection to the bus is gone"
        }
    }
}

/// Errors that never travel over the bus, and that our programs name to scripts beside those that do.
public enum ProgramError: String, NamedError, CaseIterable, Sendable {
    case usage = "Usage"
    case badAnswer = "BadAnswer"
    case `internal` = "Internal"

    /// In the namespace of the daemon's own errors.
    public static let prefix = ServiceError.prefix

    public var exitCode: Int32 {
        switch self {
        case .usage: ExitCode.usage
        case .badAnswer, .internal: ExitCode.failure
        }
    }

    public var meaning: String {
        switch self {
        case .usage: "the command line is wrong"
        case .badAnswer: "the answer of the daemon cannot be read: the two are of different versions"
        case .internal: "the program met what it cannot go on with"
        }
    }
}
