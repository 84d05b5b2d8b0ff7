internal import CLinux
internal import Glibc

/// The limit on the files that a process has open (`RLIMIT_NOFILE`, getrlimit(2)).
///
/// The soft limit is 1,024 nearly everywhere, for the sake of programs that use `select`. A program that may have more
/// than that open raises its own at its start, and what it starts gets the old one back, by `Spawner`: whoever wrote a
/// job counts on it.
public struct OpenFileLimit: Hashable, Sendable {
    /// What binds now.
    public let soft: UInt64
    /// Up to where a process may raise it.
    public let hard: UInt64

    /// That of this process now; nil where the kernel does not say.
    public static var current: OpenFileLimit? {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return nil }
        return OpenFileLimit(soft: UInt64(limit.rlim_cur), hard: UInt64(limit.rlim_max))
    }

    /// What this process had before it raised it, and its children get; nil where it has not.
    // Set once, at the start, by the one thread that there is then.
    nonisolated(unsafe) static private(set) var inherited: OpenFileLimit?

    /// Raises the soft limit to the hard one. Once, at the start, before there is a second thread.
    ///
    /// - Returns: the old one; nil where nothing could be raised, or nothing was to be.
    @discardableResult
    public static func raise() -> OpenFileLimit? {
        guard let old = current, old.soft < old.hard else { return nil }
        guard OpenFileLimit(soft: old.hard, hard: old.hard).apply() else { return nil }
        inherited = inherited ?? old
        return old
    }

    /// Gives this process, and what it starts from now on, these limits. Files that are open already stay open.
    @discardableResult
    func apply() -> Bool {
        var limit = rlimit(rlim_cur: rlim_t(soft), rlim_max: rlim_t(hard))
        return setrlimit(Self.resource, &limit) == 0
    }

    private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
}
