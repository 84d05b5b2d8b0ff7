public import EventLoop
internal import Glibc

/// Whether something is there under a path, watched as long as this object lives: by the nearest folder on the way to
/// it that is there.
public final class PathPresence {
    /// Nil where it cannot be watched.
    public private(set) var isThere: Bool?

    private let path: String
    private var watch: FileWatch?

    /// - Parameter changed: called after each change.
    public init(_ path: String, on loop: EventLoop, changed: @escaping () -> Void) {
        self.path = path
        // The watch is this object's own, and goes with it.
        watch = try? FileWatch(path, on: loop) { [unowned self] in
            let before = isThere
            look()
            // Whoever is told may drop us.
            if isThere != before { changed() }
        }
        if watch != nil { look() }
    }

    private func look() { isThere = access(path, F_OK) == 0 }
}
