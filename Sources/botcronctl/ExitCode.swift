/// Exit codes of this program, as `--help` lists them. A run that is waited for passes its own.
enum ExitCode {
    static let success: Int32 = 0
    /// The daemon refused, a job is bad, a run failed without an exit code.
    static let failure: Int32 = 1
    /// systemctl(1): "no such unit".
    static let notFound: Int32 = 4
    /// sysexits(3): `EX_USAGE`.
    static let usage: Int32 = 64
    /// sysexits(3): `EX_UNAVAILABLE`; the daemon's own code for it, too.
    static let unavailable: Int32 = 69
    /// timeout(1).
    static let timedOut: Int32 = 124
    /// A signal's number is added, as shells do.
    static let signalBase: Int32 = 128

    static let help: [(code: String, meaning: String)] = [
        ("0", "success"),
        ("1", "the daemon refused, a job is bad, a check does not hold"),
        ("4", "no such job or run"),
        ("64", "wrong usage"),
        ("69", "no bus, or no daemon on it"),
        ("124", "a time-out: of the wait, or of the run that was waited for"),
        ("other", "run --wait and wait: the exit code of the job; 128+N where signal N ended it"),
    ]
}
