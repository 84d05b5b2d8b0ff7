import Glibc

/// What is long goes through the user's pager, as with git: `$BOTCRONCTL_PAGER`, `$PAGER`, or less where it is
/// installed; `cat`, or an empty text, means none. It is for terminals alone.
///
/// less gets `FRX` for its options where `$LESS` says nothing: it ends at once where all fits on the screen, shows
/// colours, and leaves the text there.
struct Pager: ~Copyable {
    /// Verbs whose answer is as long as there are jobs or runs. Those that ask, wait or follow are none of them.
    private static let verbs: Set<String> = ["list", "show", "history", "calendar", "simulate", "help"]

    private let pid: pid_t

    /// Puts a pager between this program and its terminal; nil where there is to be none.
    init?(_ verb: Verb, _ screen: Screen) {
        guard screen.isTerminal, Self.verbs.contains(verb.name), let command = Self.command,
            let pid = Self.spawn(command)
        else { return nil }
        self.pid = pid
        waitedFor = pid
        // Ctrl-C is the pager's while it is there: who went first would leave the terminal to two readers.
        signal(SIGINT) { _ in
            close(STDOUT_FILENO)
            waitpid(waitedFor, nil, 0)
            _exit(128 + SIGINT)
        }
    }

    /// Tells the pager that this was all, and waits until it has been read.
    consuming func finish() {
        // Whatever is printed from here on goes nowhere.
        let nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC)
        dup2(nowhere, STDOUT_FILENO)
        while waitpid(pid, nil, 0) < 0, errno == EINTR {}
    }

    private static var command: String? {
        guard let wanted = variable("BOTCRONCTL_PAGER") ?? variable("PAGER") else {
            return isInstalled("less") ? "less" : nil
        }
        return wanted.isEmpty || wanted == "cat" ? nil : wanted
    }

    private static func isInstalled(_ program: String) -> Bool {
        (variable("PATH") ?? "/usr/bin:/bin").split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 }
    }

    /// The variable may hold options, so a shell takes it apart. Its standard output is what ours was.
    private static func spawn(_ command: String) -> pid_t? {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { for end in ends { close(end) } }
        setenv("LESS", "FRX", 0)
        var files = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&files)
        defer { posix_spawn_file_actions_destroy(&files) }
        posix_spawn_file_actions_adddup2(&files, ends[0], STDIN_FILENO)
        let words = ["sh", "-c", command]
        var arguments = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var pid: pid_t = 0
        guard posix_spawn(&pid, "/bin/sh", &files, nil, &arguments, environ) == 0 else { return nil }
        dup2(ends[1], STDOUT_FILENO)
        return pid
    }
}

/// For the handler of a signal, which is given nothing.
nonisolated(unsafe) private var waitedFor: pid_t = 0
