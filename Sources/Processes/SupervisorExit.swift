/// How the program `botcron-run` exits: the one list of what its exit statuses mean, and what became of the job's
/// process. Of another status, and of a signal, nobody knows what happened to the supervisor: the process never began
/// where `identity` does not say `begun`, or its gate was never opened; else it is lost.
///
/// The numbers are those of sysexits(3) that come nearest.
public enum SupervisorExit: Int32, CaseIterable, Error, Sendable {
    /// The file `outcome` has how it ended. Where there is none, it was removed since, and the attempt is lost.
    case recorded = 0
    /// There is no request, or no whole one: the process never began.
    case noRequest = 64
    /// It could not begin, and could not record that either: the process never began.
    case notBegun = 71
    /// It is over, and how it ended could not be recorded: the process ran, and is lost.
    case unrecorded = 74
    /// The supervisor could not set itself up for want of fds, memory or processes: the process never began, and a
    /// later attempt may.
    case shortOfResources = 75
}
