internal import Glibc

/// A control group of this user (cgroups(7), version 2): all processes of an attempt, in whatever groups and sessions
/// they are, and whoever their parents are.
public struct ControlGroup: Sendable {
    /// Its folder in the file system of control groups.
    public let path: String

    public init(path: String) {
        self.path = path
    }

    /// - Parameter place: as the service manager names it, from the root of the hierarchy.
    public init(place: String) {
        path = Self.root + place
    }

    /// The one that this process is in, where its last part has this name.
    public static func own(named name: String) -> ControlGroup? {
        guard let bytes = FileDescriptor.contents(of: "/proc/self/cgroup", limit: 1 << 16) else { return nil }
        // A line for each hierarchy; that of version 2 is number 0, and has no controllers.
        for line in bytes.split(separator: UInt8(ascii: "\n")) where line.starts(with: "0::".utf8) {
            let place = String(decoding: line.dropFirst(3), as: UTF8.self)
            guard place.hasSuffix("/" + name) else { return nil }
            return ControlGroup(path: root + place)
        }
        return nil
    }

    /// Where version 2 is mounted: with the hierarchies of version 1 beside it, in a folder of its own.
    private static let root: String = {
        let beside = "/sys/fs/cgroup/unified"
        return access(beside + "/cgroup.procs", F_OK) == 0 ? beside : "/sys/fs/cgroup"
    }()

    // MARK: - What it limits

    /// Whether the kernel holds it to a limit on memory.
    public var limitsMemory: Bool { has("memory.max") }

    public var limitsTasks: Bool { has("pids.max") }

    public var limitsCPU: Bool { has("cpu.max") }

    /// How many of its processes the kernel has killed because they were beyond that limit.
    public var memoryKillCount: Int {
        let bytes = FileDescriptor.contents(of: path + "/memory.events", limit: 4096) ?? []
        return Int(Self.number("oom_kill", in: bytes) ?? 0)
    }

    // MARK: - What it has used

    /// The processor time of all its processes, those that are gone included; nil where the kernel does not say.
    public var cpuUSec: Int64? {
        let bytes = FileDescriptor.contents(of: path + "/cpu.stat", limit: 4096) ?? []
        return Self.number("usage_usec", in: bytes)
    }

    /// What they had in memory together at most, with what the kernel kept of files for them; nil where it does not
    /// say: before Linux 5.19, and without the controller.
    public var memoryPeakBytes: Int64? {
        guard let bytes = FileDescriptor.contents(of: path + "/memory.peak", limit: 64) else { return nil }
        return Int64(String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }

    /// The number beside a word, in a file of lines of both.
    private static func number(_ word: String, in bytes: [UInt8]) -> Int64? {
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: " "))
            guard words.count == 2, words[0].elementsEqual(word.utf8) else { continue }
            return Int64(String(decoding: words[1], as: UTF8.self))
        }
        return nil
    }

    /// How the names of all scopes of attempts begin.
    private static let scopePrefix = "app-botcron-"

    private func has(_ name: String) -> Bool { access("\(path)/\(name)", F_OK) == 0 }

    // MARK: - Its processes

    /// Whether no process is in it or below it, or it is gone.
    public var isEmpty: Bool {
        guard let bytes = FileDescriptor.contents(of: path + "/cgroup.events", limit: 4096) else { return true }
        return bytes.split(separator: UInt8(ascii: "\n")).contains { $0.elementsEqual("populated 0".utf8) }
    }

    /// Sends KILL to every process in it, those that are just being forked too. The path comes from a file on disk:
    /// only a scope of an attempt is killed, and never the group that this process is in.
    public func kill() {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard path.hasPrefix(Self.root + "/"), !parts.contains(".."), let name = parts.last,
            name.hasPrefix(Self.scopePrefix), name.hasSuffix(".scope"), Self.own(named: String(name))?.path != path
        else { return }
        let number = open(path + "/cgroup.kill", O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard number >= 0 else { return }
        _ = FileDescriptor(owning: number).write([UInt8(ascii: "1")])
    }
}
