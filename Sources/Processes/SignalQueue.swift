internal import CLinux
internal import Glibc

/// Signals as something to wait for beside other fds (signalfd(2)): those named are blocked for this process from now
/// on and come here; one that came before and was blocked then comes too. For programs without a loop.
public struct SignalQueue: ~Copyable {
    private let file: FileDescriptor

    public init(_ signals: [Int32]) throws(ProcessError) {
        var set = sigset_t()
        sigemptyset(&set)
        for number in signals { sigaddset(&set, number) }
        sigprocmask(SIG_BLOCK, &set, nil)
        let number = signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
        let code = errno
        guard number >= 0 else { throw .resource("make", object: "a queue of signals", code: code) }
        file = FileDescriptor(owning: number)
    }

    /// Readable while a signal waits.
    public var number: Int32 { file.number }

    /// The next signal that waits; nil where none does. Several of one kind may come as one.
    public func next() -> Int32? {
        var info = signalfd_siginfo()
        let reading = withUnsafeMutableBytes(of: &info) { file.read(into: $0) }
        guard case .bytes = reading else { return nil }
        return Int32(info.ssi_signo)
    }
}
