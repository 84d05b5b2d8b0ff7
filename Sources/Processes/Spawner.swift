internal import CLinux
internal import Glibc

/// Starts processes: bare ones, without a loop, a clock or a shell.
///
/// A `ProcessRequest` says everything that the process is to get; it inherits from us only what no request names:
/// user, umask, limits (that of open files as it was before `OpenFileLimit.raise`), nice, control group. It starts with
/// a clean slate: every signal at its default, none blocked and no fd beyond 0, 1 and 2 but those that the request
/// names, at the head of its own session or group. `posix_spawn` does it without copying our memory, so a start costs
/// the same however large we are; only a process that is to have limits of its own is made another way (`ForkedStart`).
///
/// ```swift
/// let pipe = try Pipe()
/// var request = ProcessRequest(
///     arguments: ["date", "-u"], environment: ["PATH": "/usr/bin:/bin"], workingDirectory: "/")
/// request.standardOutput = pipe.writeEnd.number
/// var child = try Spawner.spawn(request)
/// let exit = child.waitForExit()                       // .exited(0)
/// ```
///
/// Sharp edges:
/// - `spawn` returns when the process has begun to execute its program, or never will: a start that failed is an error
///   here and never a child that exits 127. A program on a file system that hangs makes the call hang.
/// - Every child must be reaped once, by its `ChildProcess` and nobody else; see `ChildProcess.claimExits`.
/// - A pipe reads to its end only when every writer is gone, so close our `writeEnd` after the spawn; and do not take
///   that end for the end of the process, whose own children may hold the pipe.
public enum Spawner {
    public static func spawn(_ request: ProcessRequest) throws(ProcessError) -> ChildProcess {
        try check(request)
        let search = ProgramSearch(
            name: request.arguments[0], path: request.environment["PATH"],
            from: try FileDescriptor.openFolder(request.workingDirectory))
        // posix_spawn would report a folder that may not be entered as if it were the program.
        guard faccessat(search.folderNumber, ".", X_OK, AT_EACCESS) == 0 else {
            throw .workingDirectory(request.workingDirectory, code: EACCES)
        }
        let program = try search.find()
        let start = try start(program, request, search)
        return try adopt(start, search)
    }

    /// A process that executes its program.
    private struct Start {
        let pid: Int32
        var unsetLimits: [String] = []
    }

    // MARK: - Before

    private static func check(_ request: ProcessRequest) throws(ProcessError) {
        guard let program = request.arguments.first else {
            throw .invalid("the argv is empty", advice: "its first text names the program", program: "")
        }
        for (index, argument) in request.arguments.enumerated() {
            try check(argument.utf8, program) { "argument \(index)" }
        }
        for (name, value) in request.environment {
            guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "=")) else {
                throw .invalid(
                    "a variable of the environment has the name \(ProcessError.quoted(name))",
                    advice: "a name is not empty and holds no “=”", program: program)
            }
            try check(name.utf8, program) { "the name of the variable \(ProcessError.quoted(name))" }
            // The name and the `=` are part of what the kernel measures.
            try check(value.utf8, more: name.utf8.count + 1, program) { "the variable \(ProcessError.quoted(name))" }
        }
        try check(request.workingDirectory.utf8, program) { "the working directory" }
    }

    private static func check(
        _ text: String.UTF8View, more: Int = 0, _ program: String, what: () -> String
    ) throws(ProcessError) {
        guard !text.contains(0) else {
            throw .invalid(
                "\(what()) holds a NUL", advice: "leave it out; a process would see the text cut", program: program)
        }
        // Refused here and not by the kernel, which says only "too long".
        guard text.count + more < ArgumentBlock.textLimit else {
            throw .textTooLong(what(), size: text.count + more, limit: ArgumentBlock.textLimit, program: program)
        }
    }

    // MARK: - The start

    private static func start(
        _ program: String, _ request: ProcessRequest, _ search: borrowing ProgramSearch
    ) throws(ProcessError) -> Start {
        let arguments = ArgumentBlock(request.arguments)
        // In order of the names, so that two processes of one request see the same bytes.
        let environment = ArgumentBlock(request.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })
        // An fd of ours may itself have a number that the process is to have, and be overwritten before it is its
        // turn: dup2 only from above.
        let end = Int32(3 + request.moreDescriptors.count)
        let null = try FileDescriptor.openNull()
        let input = try FileDescriptor.duplicate(request.standardInput ?? null.number, notBelow: end)
        let output = try FileDescriptor.duplicate(request.standardOutput ?? null.number, notBelow: end)
        let error = try FileDescriptor.duplicate(request.standardError ?? null.number, notBelow: end)
        var numbers = [input.number, output.number, error.number]
        defer { for number in numbers.dropFirst(3) { close(number) } }
        for number in request.moreDescriptors {
            let copy = fcntl(number, F_DUPFD_CLOEXEC, end)
            let code = errno
            guard copy >= 0 else { throw .resource("duplicate", object: "fd \(number)", code: code) }
            numbers.append(copy)
        }

        if !request.limits.isEmpty {
            let forked = try ForkedStart.start(
                program, arguments, environment, request, numbers, folder: search.folderNumber)
            guard forked.code == 0 else { throw refusal(forked.code, program, arguments, environment, search) }
            return Start(pid: forked.pid, unsetLimits: forked.unsetLimits)
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        // Not sigfillset: it leaves out the two signals that glibc keeps to itself, 32 and 33, and posix_spawn then
        // hands them on ignored.
        withUnsafeMutableBytes(of: &signals) { _ = $0.initializeMemory(as: UInt8.self, repeating: 0xFF) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        for signal in request.blockedSignals { sigaddset(&signals, signal) }
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        let leads = request.startsSession ? Int32(BC_POSIX_SPAWN_SETSID) : Int32(POSIX_SPAWN_SETPGROUP)
        posix_spawnattr_setflags(&attributes, Int16(leads | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // First: the folder's own fd may have a number that the process is to have.
        posix_spawn_file_actions_addfchdir_np(&actions, search.folderNumber)
        for (number, copy) in numbers.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, copy, Int32(number))
        }
        let complete = posix_spawn_file_actions_addclosefrom_np(&actions, end)
        // Each of these calls can fail for memory only, and the last would then fail too.
        guard complete == 0 else { throw search.explain(complete, program: program) }

        var pid: pid_t = 0
        // The new process takes its limits from ours as they are at that moment. Lowered for the time of the call, and
        // not by the process itself: posix_spawn has no action for it. Another thread of ours may be refused a file in
        // that time; the programs that raise theirs have no other.
        let raised = OpenFileLimit.inherited == nil ? nil : OpenFileLimit.current
        if raised != nil { OpenFileLimit.inherited?.apply() }
        defer { raised?.apply() }
        let code = posix_spawn(&pid, program, &actions, &attributes, arguments.pointers, environment.pointers)
        guard code == 0 else { throw refusal(code, program, arguments, environment, search) }
        return Start(pid: pid)
    }

    /// What the kernel's `code` means for the start of `program`.
    private static func refusal(
        _ code: Int32, _ program: String, _ arguments: borrowing ArgumentBlock, _ environment: borrowing ArgumentBlock,
        _ search: borrowing ProgramSearch
    ) -> ProcessError {
        guard code == E2BIG else { return search.explain(code, program: program) }
        return ProcessError(
            kind: .argumentsTooLong, operation: "start", object: ProcessError.quoted(search.name), errorNumber: code,
            found:
                "arguments and environment have \(arguments.kernelSize + environment.kernelSize) bytes together, "
                + "and the kernel passes on about \(ArgumentBlock.totalLimit)",
            advice: "pass long data by standard input or in a file")
    }

    /// So many ms a process that has begun is worth; then it is killed.
    private static let followingRetries = 5

    /// The child with its pidfd. Until it is reaped its pid cannot pass to another, so there is no hurry.
    private static func adopt(
        _ start: Start, _ search: consuming ProgramSearch
    ) throws(ProcessError) -> ChildProcess {
        let (name, pid) = (search.name, start.pid)
        // Closing the folder leaves a free fd: the one for the pidfd. Or the limit of fds would be found out only now,
        // with the process already at work.
        _ = consume search
        var pidfd = pidfd_open(pid, 0)
        var code = errno
        // Files or memory of the whole machine may be short for a moment.
        for _ in 0..<followingRetries where pidfd < 0 {
            // What others give back is told to nobody.
            usleep(1000)
            pidfd = pidfd_open(pid, 0)
            code = errno
        }
        guard pidfd >= 0 else {
            kill(-pid, SIGKILL)
            while waitpid(pid, nil, 0) < 0, errno == EINTR {}
            let shortage = ProcessError.resource("follow", object: ProcessError.quoted(name), code: code)
            throw ProcessError(
                kind: .notFollowed, operation: shortage.operation, object: shortage.object, errorNumber: code,
                found: "\(shortage.found), and so it was killed", advice: shortage.advice)
        }
        return ChildProcess(pid: pid, pidfd: FileDescriptor(owning: pidfd), unsetLimits: start.unsetLimits)
    }
}
