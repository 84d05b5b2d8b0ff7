internal import Glibc

/// Waits until an fd of its own can be read; the fd closes with it.
public class OwnedFDSource: EventSource {
    private(set) var fd: Int32
    private var readiness: IOSource?

    init(loop: EventLoop, owning fd: Int32) {
        self.fd = fd
        super.init(loop: loop)
    }

    deinit { release() }

    /// From now on `becameReadable` is called.
    func listen() throws(EventLoopError) {
        // The source goes with its owner, this object.
        readiness = try loop.watch(fd: fd, .readable) { [unowned self] _ in becameReadable() }
    }

    /// Nothing is heard of the fd any more, which stays open.
    func deafen() { readiness = nil }

    func becameReadable() {}

    public override func cancel() {
        super.cancel()
        release()
    }

    public override var isCancelled: Bool { readiness == nil }

    private func release() {
        readiness = nil
        if fd >= 0 {
            close(fd)
            fd = -1
        }
    }
}
