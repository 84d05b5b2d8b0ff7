internal import Configuration
internal import Contract
internal import DBus
internal import Scheduling
internal import Store

extension ErrorReply {
    /// A named error of the daemon.
    init(_ error: ServiceError, _ message: String) { self.init(ErrorName(trusted: error.name), message) }
}

/// What is refused, in which words; the names are those of `ServiceError`, and the bus's own.
extension ErrorReply {
    static func jobNotFound(_ name: String, among names: [String]) -> ErrorReply {
        var text = "there is no job \"\(name)\""
        if let nearest = NearestName.nearest(to: name, among: names) { text += "; the nearest is \"\(nearest)\"" }
        return ErrorReply(.jobNotFound, text + " (list_jobs names all)")
    }

    /// It is there, and cannot be run or scheduled.
    static func jobRefused(_ job: RefusedJob) -> ErrorReply {
        ErrorReply(.invalidJob, "the job \"\(job.name)\" is listed with an error: \(job.error)")
    }

    static func runNotFound(_ id: String) -> ErrorReply {
        ErrorReply(.runNotFound, "there is no run \"\(id)\" on record; get_history names the runs that are kept")
    }

    static func runEnded(_ id: String, _ status: Run.Status) -> ErrorReply {
        ErrorReply(.runNotFound, "the run \"\(id)\" has ended already: \(status.rawValue)")
    }

    static func invalidJob(_ error: JobError) -> ErrorReply {
        switch error.kind {
        case .schedule: ErrorReply(.invalidSchedule, error.message + (error.excerpt.map { "\n" + $0 } ?? ""))
        case .job: ErrorReply(.invalidJob, error.description)
        }
    }

    static func storeFailed(_ error: StoreError) -> ErrorReply { ErrorReply(.storeFailed, "\(error)") }

    static let busy = ErrorReply(
        .busy, "the daemon is stopping, and nothing new starts; call again when it is back")

    static func busy(whileWaitingFor run: String) -> ErrorReply {
        ErrorReply(
            .busy, "the daemon is stopping; the run goes on, ask again with wait_run \"\(run)\" when it is back")
    }

    /// An argument beyond a bound.
    static func tooLong(_ name: String, _ bytes: Int, _ bytesMax: Int) -> ErrorReply {
        ErrorReply(.limitsExceeded, "argument \(name): found \(bytes) bytes, expected at most \(bytesMax)")
    }

    static func invalidArgument(_ name: String, found: String, expected: String) -> ErrorReply {
        ErrorReply(.invalidArgs, "argument \(name): found \(found), expected \(expected)")
    }

    /// What Settings did not do.
    init(_ failure: SettingsError) {
        switch failure {
        case .configuration(let error): self.init(.invalidConfig, error.description)
        case .argument(let name, let found, let expected):
            self = .invalidArgument(name, found: found, expected: expected)
        case .tooLong(let name, let bytes, let bytesMax): self = .tooLong(name, bytes, bytesMax)
        }
    }

    /// A refusal of the core.
    ///
    /// - Parameter names: of jobs, among which one that is not there may have been meant.
    init(_ refusal: Refusal, among names: @autoclosure () -> [String]) {
        switch refusal {
        case .jobNotFound(let name): self = .jobNotFound(name, among: names())
        case .runNotFound(let id): self = .runNotFound(id)
        case .runEnded(let id, let status): self = .runEnded(id, status)
        case .jobExists(let name):
            self.init(
                .jobExists, "\"\(name)\" is a job of config.json: edit the file, or choose another name")
        case .notPermitted(let name):
            self.init(
                .notPermitted,
                "\"\(name)\" is a job of config.json and is not removed over the bus: edit the file, or toggle_job it")
        case .olderVersion(let job, let found, let inForce):
            self.init(
                .invalidJob, "version \(found) of \"\(job)\" is older than version \(inForce), which is in force")
        case .circle(let names): self.init(.invalidJob, ChainGraph.error(of: names))
        case .limitExceeded(let what): self.init(ErrorName.limitsExceeded, what)
        case .keyTaken(let run, let job):
            self = .invalidArgument(
                "idempotency_key", found: "the key of \"\(run)\", a run of the job \"\(job)\"",
                expected: "a key that no other job has used")
        case .groupNotFound(let group, let known):
            let others = known.isEmpty ? "no job has one" : "there are " + known.prefix(20).joined(separator: ", ")
            self = .invalidArgument(
                "group", found: "\"\(group.prefix(64))\"", expected: "the hold_group of a job; \(others)")
        case .noQuestion(let run):
            self = .invalidArgument(
                "execution_id", found: "\"\(run)\", which asks nothing now",
                expected: "a run that questions names")
        case .noSuchChoice(let choice, let choices):
            let words = choices.map { "\"\($0)\"" }.joined(separator: ", ")
            self = .invalidArgument("choice", found: "\"\(choice.prefix(100))\"", expected: "one of \(words)")
        case .queueEmpty(let queue):
            self.init(
                .queueEmpty,
                "the queue \"\(queue.prefix(64))\" has no item that nobody has taken; queue_list names those with items"
            )
        case .noSuchItem(let id, let queue):
            self = .invalidArgument(
                "id", found: "\"\(id.prefix(64))\"",
                expected: "the id of an item of the queue \"\(queue.prefix(64))\" that is not acknowledged yet")
        case .stopping: self = .busy
        }
    }
}
