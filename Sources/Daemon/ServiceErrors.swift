import Configuration
import DBus
import Store
import Schedules
import Scheduling

extension ErrorName {
    static let jobNotFound: ErrorName = "com.aiworkflow.BotCron.Error.JobNotFound"
}

/// The one table of named errors: what can be refused, by which name the bus says so, in which words.
extension ErrorReply {
    static func jobNotFound(_ name: String, among names: [String]) -> ErrorReply {
        var text = "there is no job \"\(name)\""
        if let nearest = NearestName.nearest(to: name, among: names) { text += "; the nearest is \"\(nearest)\"" }
        return ErrorReply(.jobNotFound, text + " (list_jobs names all)")
    }

    /// It is there, and cannot be run or scheduled.
    static func jobRefused(_ job: RefusedJob) -> ErrorReply {
        ErrorReply(
            "com.aiworkflow.BotCron.Error.InvalidJob", "the job \"\(job.name)\" is listed with an error: \(job.error)")
    }

    static func runNotFound(_ id: String) -> ErrorReply {
        ErrorReply(
            "com.aiworkflow.BotCron.Error.RunNotFound",
            "there is no run \"\(id)\" on record; get_history names the runs that are kept")
    }

    static func runEnded(_ id: String, _ status: Run.Status) -> ErrorReply {
        ErrorReply(
            "com.aiworkflow.BotCron.Error.RunNotFound", "the run \"\(id)\" has ended already: \(status.rawValue)")
    }

    static func invalidJob(_ error: JobError) -> ErrorReply {
        switch error.kind {
        case .schedule:
            ErrorReply(
                "com.aiworkflow.BotCron.Error.InvalidSchedule", error.message + (error.excerpt.map { "\n" + $0 } ?? ""))
        default: ErrorReply("com.aiworkflow.BotCron.Error.InvalidJob", error.description)
        }
    }

    static func invalidConfiguration(_ error: ConfigurationError) -> ErrorReply {
        invalidConfiguration(error.description)
    }

    static func invalidConfiguration(_ text: String) -> ErrorReply {
        ErrorReply("com.aiworkflow.BotCron.Error.InvalidConfig", text)
    }

    static func storeFailed(_ error: StoreError) -> ErrorReply {
        ErrorReply("com.aiworkflow.BotCron.Error.StoreFailed", "\(error)")
    }

    static let busy = ErrorReply(
        "com.aiworkflow.BotCron.Error.Busy",
        "the daemon is stopping, and nothing new starts; call again when it is back")

    static func refused(_ refusal: Refusal, among names: [String]) -> ErrorReply {
        switch refusal {
        case .jobNotFound(let name): .jobNotFound(name, among: names)
        case .runNotFound(let id): .runNotFound(id)
        case .runEnded(let id, let status): .runEnded(id, status)
        case .jobExists(let name):
            ErrorReply(
                "com.aiworkflow.BotCron.Error.JobExists",
                "\"\(name)\" is a job of config.json: edit the file, or choose another name")
        case .notPermitted(let name):
            ErrorReply(
                "com.aiworkflow.BotCron.Error.NotPermitted",
                "\"\(name)\" is a job of config.json and is not removed over the bus: edit the file, or toggle_job it")
        case .olderVersion(let job, let found, let inForce):
            ErrorReply(
                "com.aiworkflow.BotCron.Error.InvalidJob",
                "version \(found) of \"\(job)\" is older than version \(inForce), which is in force")
        case .limitExceeded(let what): ErrorReply(.limitsExceeded, what)
        case .keyTaken(let run, let job):
            .invalidArgument(
                "idempotency_key", found: "the key of \"\(run)\", a run of the job \"\(job)\"",
                expected: "a key that no other job has used")
        case .queueEmpty(let queue):
            ErrorReply(
                "com.aiworkflow.BotCron.Error.QueueEmpty",
                "the queue \"\(queue.prefix(64))\" has no item that nobody has taken; queue_list names those with items"
            )
        case .noSuchItem(let id, let queue):
            .invalidArgument(
                "id", found: "\"\(id.prefix(64))\"",
                expected: "the id of an item of the queue \"\(queue.prefix(64))\" that is not acknowledged yet")
        case .stopping: .busy
        }
    }

    /// An argument beyond a bound.
    static func tooLong(_ name: String, _ bytes: Int, _ bytesMax: Int) -> ErrorReply {
        ErrorReply(.limitsExceeded, "argument \(name): found \(bytes) bytes, expected at most \(bytesMax)")
    }

    static func invalidArgument(_ name: String, found: String, expected: String) -> ErrorReply {
        ErrorReply(.invalidArgs, "argument \(name): found \(found), expected \(expected)")
    }
}
