/// How the program `botcron-run` exits: the one table of what its exit statuses mean.
///
/// | exit | what it says | what became of the job's process |
/// |---|---|---|
/// | 0 `recorded` | the file `outcome` has how it ended | see there; no such file: it was removed since, and the attempt is lost |
/// | 64 `noRequest` | there is no request, or no whole one | never began |
/// | 71 `notBegun` | it could not begin, and could not record that either | never began |
/// | 74 `unrecorded` | it is over, and how it ended could not be recorded | lost: it ran |
/// | 75 `shortOfResources` | it could not set itself up for want of fds, memory or processes | never began; a later try may |
/// | another, or a signal | nobody knows what happened to the supervisor | never began, where `identity` does not say `begun` or its gate was never opened; else lost |
///
/// The numbers are those of sysexits(3) that come nearest.
public enum SupervisorExit: Int32, CaseIterable, Error, Sendable {
    case recorded = 0
    case noRequest = 64
    case notBegun = 71
    case unrecorded = 74
    case shortOfResources = 75
}
