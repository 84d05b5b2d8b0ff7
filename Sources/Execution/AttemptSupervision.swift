internal import EventLoop
internal import Glibc
internal import Processes

/// A supervisor that is followed to its exit: a child of ours where we started it, else a process that an earlier
/// daemon started, of which there is only a pidfd.
final class AttemptSupervision {
    private var child: ChildProcess?
    private let stranger: FileDescriptor?
    /// Ends before the fd that it watches is closed.
    private var exitSource: IOSource?

    /// Follows one that was just started here. Where that cannot be it is killed: nothing of it may go on unseen.
    init(child: consuming ChildProcess, loop: EventLoop, onExit: @escaping () -> Void) throws(EventLoopError) {
        let number = child.pidfd.number
        do throws(EventLoopError) {
            exitSource = try loop.watch(fd: number, .readable) { _ in onExit() }
        } catch {
            child.send(SIGKILL, to: .process)
            _ = child.waitForExit()
            throw error
        }
        self.child = consume child
        stranger = nil
    }

    /// Follows one that lives already.
    init(_ pidfd: consuming FileDescriptor, loop: EventLoop, onExit: @escaping () -> Void) throws(EventLoopError) {
        exitSource = try loop.watch(fd: pidfd.number, .readable) { _ in onExit() }
        child = nil
        stranger = consume pidfd
    }

    deinit {
        exitSource?.cancel()
    }

    /// That of the supervisor, where it is a child of ours.
    var pid: Int32? { child?.pid }

    func signal(_ number: Int32) {
        child?.send(number, to: .process)
        stranger?.signalProcess(number)
    }

    enum Exit {
        /// It has not ended: whoever traces it is told first, and the pidfd says it again.
        case notYet
        /// It has; nil where its status is not ours to learn.
        case over(ProcessExit.Ending?)
    }

    /// Takes the exit status of a child of ours.
    func reap() -> Exit {
        guard child != nil else { return .over(nil) }
        guard let exit = child?.reap() else { return .notYet }
        return .over(exit.ending)
    }
}
