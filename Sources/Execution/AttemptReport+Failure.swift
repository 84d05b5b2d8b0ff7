internal import EventLoop
internal import Processes

extension AttemptReport.Ending {
    /// What kept an attempt from being started. Untyped, because errors of three rooms meet here.
    init(_ error: any Error, of request: AttemptRequest) {
        let (reason, isShortOfResources) =
            switch error {
            case let error as ProcessError: (error.description, error.isShortOfResources)
            case let error as ExecutionError: (error.description, error.isShortOfResources)
            case let error as EventLoopError:
                (
                    "cannot follow the supervisor of “\(request.arguments.first ?? "")”: \(error)",
                    ProcessError.isShortage(error.code)
                )
            default: ("\(error)", false)
            }
        self = isShortOfResources ? .shortOfResources(reason) : .couldNotStart(reason)
    }
}
