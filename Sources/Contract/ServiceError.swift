/// The named errors of the daemon: the one table of what can be refused, by which name the bus says so, and with which
/// exit code a command line ends for it. The sentences are made where the facts are; `meaning` is what a manual says.
public enum ServiceError: String, NamedError, CaseIterable, Sendable {
    case jobNotFound = "JobNotFound"
    case runNotFound = "RunNotFound"
    case jobExists = "JobExists"
    case invalidJob = "InvalidJob"
    case invalidSchedule = "InvalidSchedule"
    case invalidConfig = "InvalidConfig"
    case queueEmpty = "QueueEmpty"
    case busy = "Busy"
    case storeFailed = "StoreFailed"
    case notPermitted = "NotPermitted"

    public static let prefix = "com.aiworkflow.BotCron.Error."

    public var exitCode: Int32 {
        switch self {
        case .jobNotFound, .runNotFound: ExitCode.notFound
        case .busy: ExitCode.unavailable
        case .jobExists, .invalidJob, .invalidSchedule, .invalidConfig, .queueEmpty, .storeFailed, .notPermitted:
            ExitCode.failure
        }
    }

    public var meaning: String {
        switch self {
        case .jobNotFound: "there is no such job; the nearest is named"
        case .runNotFound: "there is no such run on record, or it has ended"
        case .jobExists: "the name belongs to a job of config.json"
        case .invalidJob: "the definition cannot be a job"
        case .invalidSchedule: "the schedule cannot be understood"
        case .invalidConfig: "config.json, or the change to it, cannot be taken up"
        case .queueEmpty: "the queue has no item that nobody has taken"
        case .busy: "the daemon is stopping"
        case .storeFailed: "the store cannot be written; nothing of the request remains"
        case .notPermitted: "a job of config.json is not removed over the bus"
        }
    }
}
