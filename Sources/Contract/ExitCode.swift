/// Exit codes of all our programs. A run that is waited for passes its own.
public enum ExitCode {
    public static let success: Int32 = 0
    /// The daemon refused, a job is bad, a run failed without an exit code.
    public static let failure: Int32 = 1
    /// systemctl(1): "no such unit".
    public static let notFound: Int32 = 4
    /// sysexits(3), `EX_USAGE`: the command line is wrong.
    public static let usage: Int32 = 64
    /// sysexits(3), `EX_UNAVAILABLE`: no bus, no daemon on it, or another one has the name or the state folder.
    public static let unavailable: Int32 = 69
    /// sysexits(3), `EX_CANTCREAT`: the state folder or the store cannot be made, and no restart mends it.
    public static let cannotCreate: Int32 = 73
    /// timeout(1).
    public static let timedOut: Int32 = 124
    /// A signal's number is added, as shells do.
    public static let signalBase: Int32 = 128
}
