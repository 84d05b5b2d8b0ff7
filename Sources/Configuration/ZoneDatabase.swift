import Glibc
public import Schedules

/// The zones of this machine: reads the system's compiled tzdata, each file once, and shares what it read.
///
/// Zones come from `/usr/share/zoneinfo` (or the directory in TZDIR), never from a copy in a library, so an update of
/// the package tzdata is all that a new rule needs: `reload` says which zones changed and forgets them.
///
/// The name `local` is the machine's zone, found in this order: what libc makes of the variable TZ (an installed zone,
/// a file, a POSIX rule; UTC where it is empty), else the target of `/etc/localtime`, else, where that is a plain file,
/// its content under the name `local`, else UTC. Where TZ is nothing of that, libc takes UTC without a word; here it is
/// an error that names TZ.
///
/// Not thread-safe; belongs to the thread of the loop.
public final class ZoneDatabase {
    /// Names longer than this are refused; the longest installed has 32 bytes.
    public static let nameLimit = 255

    /// What tells that a file was replaced or written: compared, never interpreted.
    private struct Stamp: Equatable {
        var device: UInt64
        var inode: UInt64
        var size: Int64
        var seconds: Int
        var nanoseconds: Int
    }

    private struct Entry {
        var rules: TimeZoneRules
        var path: String
        var stamp: Stamp?
    }

    public let directory: String
    private let localtimePath: String
    private let environmentZone: String?
    private var entries: [String: Entry] = [:]
    /// What `/etc/localtime` pointed at, and its content's stamp, when `local` was last resolved.
    private var local: Entry?
    /// Whether UTC is to stand in for a zone of the machine that cannot be read.
    private var isLocalUTC = false

    /// The zones as the environment of the process has them: TZDIR and TZ count.
    public convenience init(directory: String? = nil) {
        self.init(
            directory: directory ?? Self.environmentVariable("TZDIR") ?? "/usr/share/zoneinfo",
            localtime: "/etc/localtime", timeZoneVariable: Self.environmentVariable("TZ"))
    }

    /// - Parameters:
    ///   - directory: where the compiled zones are.
    ///   - localtime: the link or file that names the machine's zone.
    ///   - timeZoneVariable: the content of TZ; none where it is not set.
    public init(directory: String, localtime: String, timeZoneVariable: String?) {
        self.directory = directory
        localtimePath = localtime
        environmentZone = timeZoneVariable
    }

    private static func environmentVariable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    // MARK: - Zones

    /// The rules of an installed zone, or of `local`.
    ///
    /// - Throws: `bad_timezone` for everything else: an empty name, a path, a `..`, an abbreviation or an offset that
    ///   is no installed name, `posixrules`, a file that is not TZif.
    public func zone(named name: String) throws(ScheduleError) -> TimeZoneRules {
        if name == "local" { return try localEntry().rules }
        if let entry = entries[name] { return entry.rules }
        let entry = try load(name)
        entries[name] = entry
        return entry.rules
    }

    /// The name behind `local`: `Europe/Berlin`; `local` itself where the machine's zone has no name.
    public var localName: String {
        (try? localEntry().rules.name) ?? "UTC"
    }

    /// From now on UTC stands in for a machine's zone that cannot be read. Whoever asks for this has to say it:
    /// `localFault` is why.
    public func fallBackToUTC() {
        isLocalUTC = true
        local = nil
        _ = try? localEntry()
    }

    /// Why the machine's zone cannot be read and UTC is in its place; nil where it can, or nobody asked for that.
    public private(set) var localFault: ScheduleError?

    /// Looks at the files of all zones in use. Forgets the ones that changed, so that `zone(named:)` reads them
    /// again, and says which they are; `local` is among them where the machine's zone is another one now.
    public func reload() -> Set<String> {
        var changed: Set<String> = []
        for (name, entry) in entries where stamp(of: entry.path) != entry.stamp {
            entries[name] = nil
            // A file that was only touched is no change to anybody.
            if let fresh = try? load(name), fresh.rules == entry.rules {
                entries[name] = Entry(rules: entry.rules, path: fresh.path, stamp: fresh.stamp)
            } else {
                changed.insert(name)
            }
        }
        if let before = local {
            local = nil
            if let now = try? localEntry(), now.rules == before.rules {
                local = Entry(rules: before.rules, path: now.path, stamp: now.stamp)
            } else {
                changed.insert("local")
            }
        }
        return changed
    }

    // MARK: - The machine's zone

    private func localEntry() throws(ScheduleError) -> Entry {
        if let local { return local }
        var entry = Entry(rules: .utc, path: "", stamp: nil)
        localFault = nil
        do {
            entry = try resolveLocal()
        } catch {
            guard isLocalUTC else { throw error }
            localFault = error
        }
        local = entry
        return entry
    }

    private func resolveLocal() throws(ScheduleError) -> Entry {
        if let variable = environmentZone { return try fromVariable(variable) }
        if let target = linkTarget(localtimePath), let name = zoneName(inPath: target),
            let rules = try? zone(named: name)
        {
            return Entry(rules: rules, path: localtimePath, stamp: stamp(of: localtimePath))
        }
        guard stamp(of: localtimePath) != nil else {
            // localtime(5): without the file the machine is on UTC.
            return Entry(rules: .utc, path: localtimePath, stamp: nil)
        }
        return try read(localtimePath, name: "local")
    }

    /// TZ as tzset(3) has it: `Europe/Berlin`, `:Europe/Berlin`, `:/etc/localtime`, `CET-1CEST,M3.5.0,M10.5.0/3`; empty
    /// is UTC. A file goes before a rule, as in glibc.
    private func fromVariable(_ variable: String) throws(ScheduleError) -> Entry {
        let name = variable.first == ":" ? String(variable.dropFirst()) : variable
        if name.isEmpty { return Entry(rules: .utc, path: "", stamp: nil) }
        if let entry = try? load(name) { return entry }
        let path = name.first == "/" ? name : directory + "/" + name
        if name.first == "/", let inside = zoneName(inPath: name), let rules = try? zone(named: inside) {
            return Entry(rules: rules, path: path, stamp: stamp(of: path))
        }
        if !name.utf8.contains(0), let entry = try? read(path, name: "local") { return entry }
        if let rules = try? TimeZoneRules(name: "local", posixRule: name) {
            return Entry(rules: rules, path: "", stamp: nil)
        }
        throw ScheduleError(
            code: .badTimezone, field: "TZ", value: variable, position: 0,
            sentence: "the variable TZ names no installed zone or readable zone file, and is no POSIX rule; "
                + "expected for example Europe/Berlin, :/etc/localtime or CET-1CEST,M3.5.0,M10.5.0/3")
    }

    /// `Europe/Berlin` of `/usr/share/zoneinfo/Europe/Berlin` or `../usr/share/zoneinfo/Europe/Berlin`.
    private func zoneName(inPath path: String) -> String? {
        for prefix in [directory + "/", "zoneinfo/"] {
            var rest = path[...]
            while !rest.isEmpty {
                if rest.hasPrefix(prefix) { return String(rest.dropFirst(prefix.count)) }
                rest = rest.dropFirst()
            }
        }
        return nil
    }

    // MARK: - Files

    private func load(_ name: String) throws(ScheduleError) -> Entry {
        func refused(_ sentence: String) -> ScheduleError {
            ScheduleError(code: .badTimezone, field: "timezone", value: name, position: 0, sentence: sentence)
        }
        let example = "expected an installed IANA name such as Europe/Berlin, or \"local\""
        guard !name.isEmpty, name.utf8.count <= Self.nameLimit, !name.utf8.contains(0) else { throw refused(example) }
        let components = name.split(separator: "/", omittingEmptySubsequences: false)
        guard !components.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }) else { throw refused(example) }
        // Installed, but no names of zones: copies under other assumptions, and the machine's own choice.
        guard !["posixrules", "localtime"].contains(name), !["posix", "right"].contains(components[0]) else {
            throw refused(example)
        }
        return try read(directory + "/" + name, name: name, refused: refused(example))
    }

    private func read(_ path: String, name: String, refused: ScheduleError? = nil) throws(ScheduleError) -> Entry {
        var refusal =
            refused
            ?? ScheduleError(
                code: .badTimezone, field: "timezone", value: "local", position: 0,
                sentence: "\(path), the machine's zone, cannot be read")
        // The stamp comes first: a file that is replaced in between is then seen as changed.
        let stamp = stamp(of: path)
        guard let bytes = contents(of: path) else { throw refusal }
        do {
            return Entry(rules: try TimeZoneRules(name: name, tzif: bytes), path: path, stamp: stamp)
        } catch {
            if refused == nil || error != .notTZif { refusal.sentence = "\(path) cannot be used: \(error)" }
            throw refusal
        }
    }

    /// The bytes of a regular file up to one more than a zone may have; none where it cannot be read.
    private func contents(of path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        let limit = TimeZoneRules.fileSizeLimit + 1
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 8_192)
        while bytes.count < limit {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
        return bytes
    }

    private func stamp(of path: String) -> Stamp? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Stamp(
            device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size),
            seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
    }

    private func linkTarget(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
    }
}
