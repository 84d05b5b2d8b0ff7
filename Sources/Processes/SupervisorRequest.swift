/// What the supervisor of an attempt (`botcron-run`) is to do. It comes as a file in memory, never by argv or a file on
/// disk: environments hold secrets.
///
/// The supervisor starts in the attempt's folder, with these fds, and the signals of `blockedSignals` blocked, so that
/// none is lost while it sets itself up.
public struct SupervisorRequest: Equatable, Sendable {
    /// What the supervisor's fds are.
    public enum Descriptor {
        /// The request.
        public static let request: Int32 = 3
        /// The file `identity`, locked.
        public static let identity: Int32 = 4
        /// Where the supervisor is held (`gatedArgument`): it begins when this has been closed at the other end.
        public static let gate: Int32 = 5
        /// The standard input of the process, where it has one: 5, and 6 after a gate.
        public static func input(isGated: Bool) -> Int32 { isGated ? 6 : 5 }
    }

    /// The last argument of a supervisor that is not to begin before its gate opens, because it has still to be put
    /// into its place, and its request to be written. One whose request is not there by then has nothing to do.
    public static let gatedArgument = "--held"

    /// The bytes of a request. With the most that the kernel passes on to a process it has 6 MiB; the rest is for
    /// the context and the credentials. One that is longer is refused by the daemon, and by the supervisor taken for
    /// none.
    public static let bytesMax = 64 << 20

    /// What a credential's file holds.
    public enum Credential: Equatable, Sendable {
        case contents([UInt8])
        /// What the secret service has under these attributes: name and value, one after the other.
        case secret([String])
    }

    public struct Journal: Equatable, Sendable {
        /// Of the journal, by its path.
        public var socket: String
        public var job: String
        public var run: String

        public init(socket: String, job: String, run: String) {
            self.socket = socket
            self.job = job
            self.run = run
        }
    }

    /// What may be asked of a supervisor, by signals.
    public enum Signal {
        /// TERM: cancel. TERM to the whole tree, KILL after the grace.
        public static let cancel: Int32 = 15
        /// USR1: KILL to the whole tree at once.
        public static let kill: Int32 = 10
        /// USR2: what the process has asked is answered, in the file `answer`.
        public static let answer: Int32 = 12
    }

    public var arguments: [String]
    public var environment: [String: String]
    public var workingDirectory: String
    public var hasInput = false
    /// Who starts the supervisor. While that is its parent, somebody waits for the outcome and makes it durable.
    public var parent: Int32 = 0
    /// How long the process may run, in µs of the monotonic clock; 0 is as long as it likes.
    public var timeoutUSec: Int64 = 0
    /// How long after TERM comes KILL.
    public var killGraceUSec: Int64 = 10_000_000
    /// How long the process may write nothing before it is ended as stalled; 0 is as long as it likes.
    public var stallTimeoutUSec: Int64 = 0
    public var outputLimit = 1 << 20
    /// One line for the process on its context socket; no socket where nil.
    public var context: String?
    /// Files for the process alone, by name, and the folder that they are made in (absolute, and not there yet).
    public var credentials: [String: Credential] = [:]
    public var credentialsFolder = ""
    public var limits = ResourceLimits()
    /// Where the output goes as well.
    public var journal: Journal?
    /// A process that writes nothing for `stallTimeoutUSec` is only said to stall, not ended.
    public var onlyNotesStall = false
    /// The scope that the supervisor was put into, a control group of this name; empty where there is none.
    public var scope = ""

    public init(arguments: [String], environment: [String: String], workingDirectory: String) {
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
    }
}

// MARK: - As a record

extension SupervisorRequest {
    public var record: Record {
        var record = Record()
        for argument in arguments { record.add("argument", argument) }
        for (name, value) in environment { record.add("variable", "\(name)=\(value)") }
        record.add("folder", workingDirectory)
        record.add("input", where: hasInput)
        record.add("parent", Int64(parent))
        record.add("timeout", timeoutUSec)
        record.add("grace", killGraceUSec)
        record.add("stall", stallTimeoutUSec)
        record.add("limit", Int64(outputLimit))
        if let context { record.add("context", context) }
        for (name, value) in credentials {
            record.add("credential", name)
            switch value {
            case .contents(let bytes): record.add("contents", bytes: bytes)
            case .secret(let attributes): for attribute in attributes { record.add("attribute", attribute) }
            }
        }
        if !credentials.isEmpty { record.add("credentials", credentialsFolder) }
        if limits.memoryMax > 0 { record.add("memory", limits.memoryMax) }
        if limits.tasksMax > 0 { record.add("tasks", limits.tasksMax) }
        record.add("cpu-quota", where: limits.hasCPUQuota)
        if let nice = limits.nice { record.add("nice", Int64(nice)) }
        if let ioClass = limits.ioClass { record.add("io-class", Int64(ioClass.rawValue)) }
        if !scope.isEmpty { record.add("scope", scope) }
        record.add("notes-stall", where: onlyNotesStall)
        if let journal {
            record.add("journal", journal.socket)
            record.add("journal-job", journal.job)
            record.add("journal-run", journal.run)
        }
        return record
    }

    /// nil where the record is not whole.
    public init?(_ record: Record) {
        guard record.isComplete, let folder = record.text("folder"), let limit = record.number("limit") else {
            return nil
        }
        self.init(arguments: record.texts("argument"), environment: [:], workingDirectory: folder)
        hasInput = record.isSet("input")
        parent = Int32(clamping: record.number("parent") ?? 0)
        timeoutUSec = record.number("timeout") ?? 0
        killGraceUSec = record.number("grace") ?? killGraceUSec
        stallTimeoutUSec = record.number("stall") ?? 0
        outputLimit = Int(clamping: limit)
        context = record.text("context")
        credentialsFolder = record.text("credentials") ?? ""
        limits.memoryMax = record.number("memory") ?? 0
        limits.tasksMax = record.number("tasks") ?? 0
        limits.hasCPUQuota = record.isSet("cpu-quota")
        limits.nice = record.number("nice").map { Int32(clamping: $0) }
        limits.ioClass = record.number("io-class").flatMap { ResourceLimits.IOClass(rawValue: Int32(clamping: $0)) }
        scope = record.text("scope") ?? ""
        onlyNotesStall = record.isSet("notes-stall")
        journal = record.text("journal").map {
            Journal(socket: $0, job: record.text("journal-job") ?? "", run: record.text("journal-run") ?? "")
        }
        var name = ""
        for field in record.fields {
            switch field.name {
            case "variable":
                guard let sign = field.value.firstIndex(of: UInt8(ascii: "=")) else { continue }
                let variable = String(decoding: field.value[..<sign], as: UTF8.self)
                environment[variable] = String(decoding: field.value[(sign + 1)...], as: UTF8.self)
            case "credential": name = String(decoding: field.value, as: UTF8.self)
            case "contents": credentials[name] = .contents(field.value)
            case "attribute":
                var attributes: [String] = []
                if case .secret(let earlier) = credentials[name] { attributes = earlier }
                credentials[name] = .secret(attributes + [String(decoding: field.value, as: UTF8.self)])
            default: break
            }
        }
    }
}
