internal import CLinux
internal import Glibc

/// How a child process ended.
public struct ChildExit: Hashable, Sendable {
    public enum Status: Hashable, Sendable {
        case exited(code: Int32)
        case signaled(signal: Int32, coreDumped: Bool)
        /// It ended, but somebody else took its status, such as the kernel where SIGCHLD is ignored.
        case lost
    }

    /// 0 where the status is `lost`.
    public let pid: Int32
    public let status: Status
}

/// Waits for a child by its pidfd and reaps it; then it cancels itself. Cancelled before that, it reaps nobody.
///
/// Not `sd_event_add_child_pidfd`: that one insists on SIGCHLD being blocked in every thread although it would not need
/// it. A pidfd is readable when its process has ended, and `waitid` on it takes the status.
public final class ChildSource: OwnedFDSource {
    private let handler: (ChildExit) -> Void

    init(loop: EventLoop, pidfd: Int32, handler: @escaping (ChildExit) -> Void) throws(EventLoopError) {
        self.handler = handler
        super.init(loop: loop, owning: pidfd)
        try listen()
    }

    override func becameReadable() {
        var info = siginfo_t()
        guard waitid(P_PIDFD, id_t(fd), &info, WEXITED | WNOHANG) == 0 else {
            return report(ChildExit(pid: 0, status: .lost))
        }
        let child = info._sifields._sigchld
        guard child.si_pid != 0 else { return }
        let status: ChildExit.Status =
            switch info.si_code {
            case Int32(CLD_EXITED): .exited(code: child.si_status)
            default: .signaled(signal: child.si_status, coreDumped: info.si_code == Int32(CLD_DUMPED))
            }
        report(ChildExit(pid: child.si_pid, status: status))
    }

    private func report(_ exit: ChildExit) {
        let handler = handler
        cancel()
        handler(exit)
    }
}

extension EventLoop {
    /// Calls `handler` once, when the child behind `pidfd` has ended; it is reaped then. The pidfd belongs to the
    /// source from this call on, also when it throws. Use one source per child, and let nobody else wait for it.
    public func child(
        pidfd: Int32, _ handler: @escaping (ChildExit) -> Void
    ) throws(EventLoopError) -> ChildSource {
        try ChildSource(loop: self, pidfd: pidfd, handler: handler)
    }
}
