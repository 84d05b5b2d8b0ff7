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

/// Waits for a child by its pidfd and reaps it; then it cancels itself.
///
/// Not `sd_event_add_child_pidfd`: that one insists on SIGCHLD being blocked in every thread although it would not need
/// it. A pidfd is readable when its process has ended, and `waitid` on it takes the status.
public final class ChildSource: EventSource {
    private let handler: (ChildExit) -> Void
    private var pidfd: Int32
    private var readiness: IOSource?

    init(loop: EventLoop, pidfd: Int32, handler: @escaping (ChildExit) -> Void) throws(EventLoopError) {
        self.handler = handler
        self.pidfd = pidfd
        super.init(loop: loop)
        // The source goes with its owner, this object.
        readiness = try loop.watch(fd: pidfd, .readable) { [unowned self] _ in reap() }
    }

    deinit {
        release()
    }

    /// Stops waiting; the child is then not reaped here.
    public override func cancel() {
        super.cancel()
        release()
    }

    public override var isCancelled: Bool { readiness == nil }

    private func release() {
        readiness = nil
        if pidfd >= 0 {
            close(pidfd)
            pidfd = -1
        }
    }

    private func reap() {
        var info = siginfo_t()
        guard waitid(P_PIDFD, id_t(pidfd), &info, WEXITED | WNOHANG) == 0 else {
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
