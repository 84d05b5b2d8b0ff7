internal import Processes

/// Where the program `botcron-run` is.
enum SupervisorProgram {
    static let name = "botcron-run"

    static func find() throws(ExecutionError) -> String {
        if let path = OwnProgram.path(of: name) { return path }
        throw ExecutionError(
            operation: "start", object: "the supervisor of the run, \(name)",
            found: "it is neither \(OwnProgram.places(of: name).joined(separator: " nor "))",
            advice: "install it there; it comes with the daemon")
    }
}
