internal import Glibc

/// Tells that something was mounted or unmounted: then a path may name another file, and no folder has an event of it.
public final class MountWatch {
    private let descriptor: Int32
    private let source: IOSource

    /// - Throws: where `/proc/self/mountinfo` cannot be watched.
    public init(on loop: EventLoop, _ changed: @escaping () -> Void) throws(EventLoopError) {
        let path = "/proc/self/mountinfo"
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw EventLoopError("watch", object: path, code: errno, advice: "a mounted /proc")
        }
        do {
            // Each poll that tells of a change takes note of it: it need not be read. proc(5)
            source = try loop.watch(fd: descriptor, .priority) { _ in changed() }
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
    }

    deinit {
        source.cancel()
        close(descriptor)
    }
}
