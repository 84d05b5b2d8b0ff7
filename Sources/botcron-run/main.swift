import Glibc
import Processes

// Table of contents: take the request, hold the process to its end, write down how it ended.

let isHeld = CommandLine.arguments.last == SupervisorRequest.heldArgument
guard let supervisor = Supervisor.adoptingRequest(isHeld: isHeld) else {
    let text = "botcron-run: there is no request here; botcrond starts this program, one for each attempt of a run\n"
    _ = write(STDERR_FILENO, text, text.utf8.count)
    exit(64)
}
supervisor.supervise()
exit(supervisor.recordOutcome() ? 0 : 74)
