internal import Glibc
internal import Synchronization

/// A file descriptor in a message. It is closed with the last copy of its value, unless somebody took it.
///
/// `Sendable` by an atomic exchange: exactly one taker gets the number.
public final class UnixFD: Hashable, Sendable {
    private let fd: Atomic<Int32>

    /// Takes over the fd.
    public init(owning fd: Int32) {
        self.fd = Atomic(fd)
    }

    deinit {
        if let fd = take() {
            close(fd)
        }
    }

    /// The fd, still ours; -1 once taken.
    public var borrowed: Int32 { fd.load(ordering: .relaxed) }

    /// The fd, the caller's to close from now on; nil where it was taken before.
    public func take() -> Int32? {
        let value = fd.exchange(-1, ordering: .relaxed)
        return value >= 0 ? value : nil
    }

    public static func == (a: UnixFD, b: UnixFD) -> Bool { a === b }
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
