import Glibc

/// `botcronctl edit JOB` as a program of its own, on this terminal: it asks and complains as it does anywhere.
enum EditorProcess {
    /// What went wrong is read before the screen is drawn over it.
    private static let script = """
        "$@"; code=$?
        [ $code = 0 ] || { printf 'Enter goes back. '; read -r _; }
        exit $code
        """

    /// - Returns: its pid; the caller waits for it.
    static func start(_ job: String, _ options: GlobalOptions) throws(Failure) -> pid_t {
        var words = ["sh", "-c", script, "edit", try ownPath()]
        if let address = options.busAddress { words += ["--bus", address] }
        if options.isUTC { words.append("--utc") }
        if options.refusesColor { words.append("--no-color") }
        words += ["edit", "--", job]
        // Signals that are taken from a descriptor here are blocked, and a child would have them so, too.
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var arguments = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, "/bin/sh", nil, &attributes, &arguments, environ)
        guard code == 0 else { throw .broken("cannot start an editor: \(String(cString: strerror(code)))") }
        return pid
    }

    /// Of this very program, whatever it was started by.
    private static func ownPath() throws(Failure) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0 else { throw .broken("cannot find this program: \(String(cString: strerror(errno)))") }
        return String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
