/// Why the store could not do something: what was attempted, on which file, what was found, what would be right.
public struct StoreError: Error, Sendable, Equatable {
    /// What was found, and what mends it:
    ///
    /// | kind | mended by | at the start of a daemon |
    /// |---|---|---|
    /// | `busy` `full` `readOnly` `inputOutput` `cannotOpen` | `time` | it waits, then exits to be restarted |
    /// | `constraint` `lookupFailed` `other` | `deciding` | it exits to be restarted |
    /// | `damaged` `replaced` | `restart` | the damaged store is set aside |
    /// | `locked` | `otherDaemon` | it leaves the field to that one |
    /// | `noFolder` `notAFile` `newerSchema` | `person` | it exits for good |
    public enum Kind: Sendable, Equatable {
        /// The file cannot be opened or made for now: no descriptor or no memory is left, its folder is not there.
        case cannotOpen
        /// Something else than a regular file is at its path.
        case notAFile
        /// The folder cannot be made, or is none.
        case noFolder
        /// No space left.
        case full
        /// The file, its folder or its file system may not be written.
        case readOnly
        /// The disk or its file system failed.
        case inputOutput
        /// Another program holds the database locked.
        case busy
        /// Another daemon works in this folder; its process where the lock file tells.
        case locked(pid: Int32?)
        /// The file is no database, a broken one, or one of another program.
        case damaged
        /// Another file has been put in the place of the one that is open.
        case replaced
        /// A later version of the program wrote it.
        case newerSchema(found: Int, known: Int)
        /// A second run of a fire time, a second use of an id or a key, an attempt of no run.
        case constraint
        /// What the changes were decided by could not be read.
        case lookupFailed
        case other

        public var remedy: Remedy {
            switch self {
            case .busy, .full, .readOnly, .inputOutput, .cannotOpen: .time
            case .constraint, .lookupFailed, .other: .deciding
            case .damaged, .replaced: .restart
            case .locked: .otherDaemon
            case .noFolder, .notAFile, .newerSchema: .person
            }
        }
    }

    /// What mends it.
    public enum Remedy: Sendable, Equatable {
        /// It may pass by itself: the same call is made again.
        case time
        /// The changes are at fault, not the store: they are decided anew, and the offender is refused.
        case deciding
        /// The next daemon finds its way.
        case restart
        /// The end of the daemon that has the folder now.
        case otherDaemon
        /// No restart: only where somebody does something.
        case person
    }

    public var remedy: Remedy { kind.remedy }
    /// Whether no restart mends it: only then may a daemon exit with a code that its unit does not restart.
    public var needsPerson: Bool { remedy == .person }

    public let kind: Kind
    /// What was attempted, as words that follow "could not".
    public let operation: String
    /// The file or folder.
    public let path: String
    /// SQLite's extended result code; 0 where SQLite was not asked.
    public let code: Int32
    /// What was found.
    public let message: String

    public init(kind: Kind, operation: String, path: String, code: Int32 = 0, message: String) {
        self.kind = kind
        self.operation = operation
        self.path = path
        self.code = code
        self.message = message
    }

    /// What would be right.
    public var advice: String {
        switch kind {
        case .cannotOpen: "it must be a regular file in a folder that this user can write"
        case .notAFile: "it must be a regular file"
        case .noFolder: "it must be a folder that this user can make and write in"
        case .full: "free some space on its file system"
        case .readOnly: "it and its folder must be writable by this user"
        case .inputOutput: "check the disk and its file system"
        case .busy: "end the program that keeps the database locked"
        case .locked: "stop that daemon, or choose another state folder"
        case .damaged: "move the file away or put a copy in its place"
        case .replaced: "restart the daemon to go on with the new one, or take that away to go on with the old one"
        case .newerSchema: "run the version that wrote it, or choose another state folder"
        case .constraint: "an id, a fire time and an idempotency key are each used once"
        case .lookupFailed: "it is decided anew when the store can be read"
        case .other: "see the result code in SQLite's documentation"
        }
    }
}

extension StoreError: CustomStringConvertible {
    public var description: String {
        let numbered = code == 0 ? message : "\(message) (SQLite \(code))"
        return "could not \(operation): \(path): \(numbered); \(advice)"
    }
}
