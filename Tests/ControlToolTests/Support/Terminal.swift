import TestSupport

/// A program on a terminal of its own, typed into as a person would: what is expected first, then keys, and so on.
///
/// python3 has the terminal and waits for the texts; its pty module is a wrapper of openpty(3).
struct Terminal {
    private var steps: [(text: String, keys: String)] = []

    /// When `text` has come, types `keys`.
    mutating func when(_ text: String, type keys: String) { steps.append((text, keys)) }

    /// Everything that was shown, from the start to the end of the program.
    func run(_ arguments: [String], environment: [String]) throws -> TestProgram.Outcome {
        let list = steps.map { "(\(literal($0.text)), \(literal($0.keys)))" }.joined(separator: ", ")
        let script = """
            import os, pty, select, sys, time
            steps = [\(list)]
            pid, terminal = pty.fork()
            if pid == 0:
                os.execvp(sys.argv[1], sys.argv[1:])
            shown, done, deadline = b'', 0, time.monotonic() + \(TestProgram.deadlineSeconds - 10)
            while True:
                while steps and steps[0][0] in shown[done:]:
                    done = shown.index(steps[0][0], done) + len(steps[0][0])
                    os.write(terminal, steps.pop(0)[1])
                if not select.select([terminal], [], [], max(0, deadline - time.monotonic()))[0]:
                    sys.stderr.write('waited in vain for %r' % (steps[0][0] if steps else 'the end'))
                    os.kill(pid, 9)
                    break
                try:
                    part = os.read(terminal, 65536)
                except OSError:
                    break
                if not part:
                    break
                shown += part
            sys.stdout.buffer.write(shown)
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 255)
            """
        return try TestProgram.run(["python3", "-c", script] + arguments, environment: environment)
    }

    /// Bytes, as python writes them.
    private func literal(_ text: String) -> String {
        "bytes([" + text.utf8.map { "\($0)" }.joined(separator: ",") + "])"
    }
}
