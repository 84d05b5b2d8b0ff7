/// The names of signals as signal(7) has them for Linux, and as `retry_on` takes them (`signal:SIGHUP`).
enum ProcessSignalName {
    /// From signal 1 on.
    private static let names = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
        "TERM",
        "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH",
        "IO",
        "PWR", "SYS",
    ]

    /// `SIGHUP`; a signal without a name, such as one of those for real time, is `signal 40`.
    static func text(of signal: Int32) -> String {
        let place = Int(signal) - 1
        return names.indices.contains(place) ? "SIG" + names[place] : "signal \(signal)"
    }
}
