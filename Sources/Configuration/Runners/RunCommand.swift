public import Scheduling

/// What a run executes, ready to be spawned: an argv in which nothing is left to be interpreted but by the program.
public struct RunCommand: Sendable, Equatable {
    public let argv: [String]

    /// - Throws: `JobError` where a runner's template is not one, which a job that was read by `ConfigurationReader`
    ///   does not have.
    public init(_ action: Job.Action, _ variables: RunVariables) throws(JobError) {
        argv =
            switch action {
            case .runner(let template): try RunnerTemplate(template).fill(variables)
            case .command(let argv): argv
            case .shell(let text): ["/bin/sh", "-c", text]
            case .script(let interpreter, let path, let arguments):
                try RunnerTemplate(interpreter).fill(variables) + [path] + arguments
            }
    }
}
