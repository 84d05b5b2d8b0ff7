import Glibc

/// The terminal while a full screen is drawn on it: raw, on its alternate screen, without a cursor. It is given back as
/// it was on every way out: `leave()`, `exit`, and the signals that end a program where it fails.
///
/// There is one: standard input and standard output.
final class RawTerminal {
    /// Escape sequences of xterm, which its kin and the Linux console understand or leave out.
    private enum Sequence {
        /// The alternate screen, no cursor, no wrap at the end of a line, pastes in brackets.
        static let enter = "\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l\u{1B}[?2004h"
        /// All of that back, whatever came of it; the console, which has no alternate screen, is left empty.
        static let leave =
            "\u{1B}[?2026l\u{1B}[?1006l\u{1B}[?1000l\u{1B}[?2004l\u{1B}[?7h\u{1B}[0m\u{1B}[H\u{1B}[2J"
            + "\u{1B}[?1049l\u{1B}[?25h"
        static let mouse = "\u{1B}[?1000h\u{1B}[?1006h"
        static let noMouse = "\u{1B}[?1006l\u{1B}[?1000l"
        /// Asks whether it can hold back a picture until it is whole. Old consoles would print a part of it.
        static let askSynchronized = "\u{1B}[?2026$p"
    }

    private let original: termios
    private let isConsole: Bool
    private(set) var isEntered = false

    /// Nil where standard input is no terminal.
    init?(name: String) {
        var modes = termios()
        guard tcgetattr(STDIN_FILENO, &modes) == 0 else { return nil }
        original = modes
        isConsole = name == "linux"
        Rescue.prepare(modes, Sequence.leave)
    }

    deinit { leave() }

    // MARK: - In and out

    func enter() {
        guard !isEntered else { return }
        isEntered = true
        Rescue.isNeeded = 1
        makeRaw()
        write(Array(Sequence.enter.utf8))
        if !isConsole { write(Array(Sequence.askSynchronized.utf8)) }
    }

    /// Once more what may have been taken away: who stops a program takes the terminal, too.
    func enterAnew() {
        guard isEntered else { return }
        makeRaw()
        write(Array(Sequence.enter.utf8))
    }

    func leave() {
        guard isEntered else { return }
        isEntered = false
        Rescue.restore()
        Rescue.isNeeded = 0
    }

    func setMouse(_ isOn: Bool) { write(Array((isOn ? Sequence.mouse : Sequence.noMouse).utf8)) }

    private func makeRaw() {
        var raw = original
        cfmakeraw(&raw)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &raw)
    }

    /// Stops this program as Ctrl-Z would have, with all of its pipeline, until it has the terminal again. One that is
    /// continued without it stops once more, as the kernel would have it; one that is to end goes on. The caller has
    /// blocked the signals, as who takes them from a descriptor does.
    static func stop() {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTSTP)
        kill(0, SIGTSTP)
        // It comes here, and nobody knows for how long.
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
        pthread_sigmask(SIG_BLOCK, &set, nil)
        while !isInForeground, !isToEnd { kill(0, SIGSTOP) }
    }

    /// Whether the terminal is ours to set; true where there is none that could be somebody else's.
    static var isInForeground: Bool {
        let group = tcgetpgrp(STDIN_FILENO)
        return group < 0 || group == getpgrp()
    }

    private static var isToEnd: Bool {
        var set = sigset_t()
        sigpending(&set)
        return [SIGTERM, SIGHUP, SIGINT, SIGQUIT].contains { sigismember(&set, $0) == 1 }
    }

    // MARK: - Its size, its bytes

    var size: Canvas.Size {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return Canvas.Size(columns: 80, rows: 24)
        }
        return Canvas.Size(columns: Int(size.ws_col), rows: Int(size.ws_row))
    }

    /// - Returns: false where there is no terminal any more.
    @discardableResult
    func write(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN {
                var ready = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
                poll(&ready, 1, -1)
                continue
            }
            guard count >= 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Nil where nothing more will come.
    func read() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = Glibc.read(STDIN_FILENO, &buffer, buffer.count)
        if count < 0, errno == EINTR || errno == EAGAIN { return [] }
        return count > 0 ? Array(buffer.prefix(count)) : nil
    }
}

/// What gives the terminal back where nothing else can be relied on: no object, no memory, no lock. All of it is made
/// beforehand, and the handler calls what signal-safety(7) lists.
private enum Rescue {
    /// Those of a program that fails; Swift's own checks end in ILL or TRAP.
    private static let signals = [SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGTRAP, SIGFPE, SIGSYS]
    /// A stack that has run full is one of the reasons, so the handler has its own.
    private static let stackBytes = 64 << 10

    // Written by one thread before the handler can run, and only read in it.
    nonisolated(unsafe) static var isNeeded: sig_atomic_t = 0
    nonisolated(unsafe) private static var modes = termios()
    nonisolated(unsafe) private static var bytes = UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1)
    nonisolated(unsafe) private static var count = 0
    nonisolated(unsafe) private static var isPrepared = false

    static func prepare(_ modes: termios, _ text: String) {
        self.modes = modes
        guard !isPrepared else { return }
        isPrepared = true
        count = text.utf8.count
        bytes = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 1)
        bytes.copyMemory(from: Array(text.utf8), byteCount: count)
        isNeeded = 0
        var stack = stack_t()
        stack.ss_sp = UnsafeMutableRawPointer.allocate(byteCount: stackBytes, alignment: 16)
        stack.ss_size = stackBytes
        sigaltstack(&stack, nil)
        for signal in signals {
            var handling = sigaction()
            handling.__sigaction_handler.sa_handler = { number in
                Rescue.restoreIfNeeded()
                // Its end is that of the signal: the handler is gone by now, and the signal comes when this returns.
                kill(getpid(), number)
            }
            handling.sa_flags = Int32(SA_ONSTACK) | Int32(bitPattern: UInt32(SA_RESETHAND))
            sigaction(signal, &handling, nil)
        }
        atexit { Rescue.restoreIfNeeded() }
    }

    static func restoreIfNeeded() { if isNeeded != 0 { restore() } }

    static func restore() {
        // A terminal that takes nothing any more is not to be helped.
        _ = write(STDOUT_FILENO, bytes, count)
        // Who has it now has set it as it likes, and we would be stopped for trying.
        if RawTerminal.isInForeground { tcsetattr(STDIN_FILENO, TCSANOW, &modes) }
    }
}
