import Glibc
import Processes

// Table of contents: take the request, hold the process to its end, write down how it ended, leave
// somebody behind for those who still write. What the exit statuses mean
// stands with `SupervisorExit`.

do throws(SupervisorExit) {
    let supervisor = try Supervisor.adoptingRequest(
        isGated: CommandLine.arguments.last == SupervisorRequest.gatedArgument)
    supervisor.supervise()
    let end = supervisor.recordOutcome()
    supervisor.leaveDrain()
    exit(end.rawValue)
} catch {
    if error == .noRequest {
        let text =
            "botcron-run: there is no request here; botcrond starts this program, one for each attempt of a run\n"
        _ = write(STDERR_FILENO, text, text.utf8.count)
    }
    exit(error.rawValue)
}
