internal import CLinux
internal import Glibc

/// Starts a program whose process is to have limits before its first instruction, by a copy of this program (fork(2))
/// that sets them for itself and then becomes the other (execve(2)).
///
/// `posix_spawn` cannot set any. To set them for this process around the spawn, and then back, fails: who has given way
/// by `nice`, or lowered a hard limit, may not go back. To set them for the new process after it has begun is late: it
/// may have started others. A copy costs some 100 µs more, which only those pay that have limits. It also has no other
/// threads, so a program with several must not do this: the copy could wait for ever for a lock that one of them had.
enum ForkedStart {
    struct Result {
        let pid: Int32
        let unsetLimits: [String]
        /// Why the program could not be executed, an errno; 0 where it was. There is no process then.
        let code: Int32
    }

    /// - Parameters:
    ///   - numbers: the fds that the process is to have as 0, 1, 2, …; each has a number beyond these.
    ///   - folder: an fd of its working directory.
    static func start(
        _ program: String, _ arguments: borrowing ArgumentBlock, _ environment: borrowing ArgumentBlock,
        _ request: ProcessRequest, _ numbers: [Int32], folder: Int32
    ) throws(ProcessError) -> Result {
        let limits = request.limits.prepared()
        let pipe = try Pipe()
        let report = try FileDescriptor.duplicate(pipe.writeEnd.number, notBelow: Int32(numbers.count))
        let pid = bc_fork()
        let code = errno
        if pid == 0 {
            // The copy. Nothing here returns, and no owner of an fd is ever to close one.
            place(request, numbers, folder: folder)
            limits.apply { kind, code in note(kind.rawValue, code, report.number) }
            // It closes by itself when the program begins: an end of the report without a word is success.
            let end = Int32(numbers.count)
            dup2(report.number, end)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            closefrom(end + 1)
            execve(program, arguments.pointers, environment.pointers)
            note(executing, errno, end)
            _exit(127)
        }
        guard pid > 0 else { throw .resource("start", object: ProcessError.quoted(program), code: code) }
        return read(Self.readEnd(of: pipe, closing: report), pid)
    }

    /// Gives the copy what `Spawner` promises every process: a session or group, its signals, folder and fds.
    private static func place(_ request: ProcessRequest, _ numbers: [Int32], folder: Int32) {
        if request.startsSession { setsid() } else { setpgid(0, 0) }
        for number in 1...Int32(64) { signal(number, SIG_DFL) }
        var blocked = sigset_t()
        sigemptyset(&blocked)
        for number in request.blockedSignals { sigaddset(&blocked, number) }
        fchdir(folder)
        for (number, copy) in numbers.enumerated() { dup2(copy, Int32(number)) }
        OpenFileLimit.inherited?.apply()
        sigprocmask(SIG_SETMASK, &blocked, nil)
    }

    // MARK: - The report

    /// A report is pairs of numbers: which limit could not be set, or 0 for the program, and the errno.
    private static let executing: Int32 = 0
    private static let noteBytes = 2 * MemoryLayout<Int32>.size

    private static func note(_ what: Int32, _ code: Int32, _ number: Int32) {
        var words = (what, code)
        _ = withUnsafeBytes(of: &words) { write(number, $0.baseAddress, $0.count) }
    }

    /// The other ends close, or the report would never end.
    private static func readEnd(of pipe: consuming Pipe, closing: consuming FileDescriptor) -> FileDescriptor {
        pipe.readEnd
    }

    /// Waits for the report: until the copy has become the program, or will not.
    private static func read(_ report: consuming FileDescriptor, _ pid: Int32) -> Result {
        var unset: [String] = []
        var failure: Int32 = 0
        // There are at most five notes, and a pipe passes each on as one.
        var words = (Int32(0), Int32(0))
        while true {
            switch withUnsafeMutableBytes(of: &words, { report.read(into: $0) }) {
            case .bytes(noteBytes):
                guard let kind = ResourceLimits.Kind(rawValue: words.0) else {
                    failure = words.1
                    continue
                }
                unset.append(kind.failure(words.1))
            case .wouldBlock:
                var entry = pollfd(fd: report.number, events: Int16(POLLIN), revents: 0)
                _ = poll(&entry, 1, -1)
            case .bytes, .end, .failed:
                if failure != 0 { while waitpid(pid, nil, 0) < 0, errno == EINTR {} }
                return Result(pid: pid, unsetLimits: unset, code: failure)
            }
        }
    }
}
