import Configuration
import Contract
import Glibc
import JSON
import Schedules
import Scheduling

/// `validate`: reads a configuration as the daemon would, without one.
extension Verb {
    static let validate = Verb(
        "validate", "[FILE]", 0...1, "check a configuration before the daemon reads it",
        details: """
            Without FILE the one that the daemon reads by default. Exits with 1 where the file cannot be understood or a
            job in it cannot run; what is only unknown is a warning.
            """,
        takes: [.file], run: validateFile)
}

private func validateFile(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let path = request.arguments.first ?? ConfigurationFile.defaultPath(environment: userEnvironment())
    let reader = context.configurationReader
    let configuration: Configuration
    var isMissing = false
    do throws(ConfigurationError) {
        guard case .bytes(let bytes) = try ConfigurationFile.load(path: path) else {
            isMissing = request.arguments.isEmpty
            throw ConfigurationError(operation: "read", object: path, reason: "there is no such file")
        }
        configuration = try reader.read(document: ConfigurationFile.parse(bytes, path: path))
    } catch {
        throw Failure(
            ExitCode.failure, ServiceError.invalidConfig.name, "\(error)",
            advice: isMissing ? ["it is not needed: jobs are made without it by botcronctl add, too"] : [])
    }
    report(configuration, path, context.screen)
    let isGood = configuration.refused.isEmpty && configuration.messageFaults.isEmpty
    return isGood ? ExitCode.success : ExitCode.failure
}

private func report(_ configuration: Configuration, _ path: String, _ screen: Screen) {
    let refused = configuration.refused
    // These jobs run all the same, and somebody is not told of it.
    let untold = configuration.messageFaults.map { (name: $0.job ?? "schedules", error: $0.error) }
    guard !screen.isJSON else {
        return screen.json([
            "file": .string(path), "valid": .bool(refused.isEmpty && untold.isEmpty),
            "jobs": .number(configuration.jobs.count),
            "invalid": .array(
                (refused.map { ($0.name, $0.error) } + untold).map { ["name": .string($0.0), "error": .string($0.1)] }),
            "warnings": .array(configuration.warnings.map { .string($0) }),
        ])
    }
    let good = configuration.jobs.count
    let bad = refused.isEmpty ? "" : ", \(refused.count) bad"
    screen.sentence("\(good) \(good == 1 ? "job" : "jobs") good\(bad), in \(path)")
    for warning in configuration.warnings { screen.sentence("warning: \(warning)") }
    for job in untold { screen.sentence("\(job.name): \(job.error)") }
    for job in refused {
        let definition = try? JSONValue(parsing: job.definition)
        screen.problem(job.name, job.error, definition)
    }
}
