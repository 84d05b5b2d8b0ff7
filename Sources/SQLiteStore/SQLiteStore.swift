import Scheduling
public import Store

/// The store in one SQLite file: crash-proof, and any tool can read it.
///
/// The mental model is `Store`'s. Tables and indexes: `Schema`. Who waits for the disk: `SQLiteStore+Durability`. What
/// becomes of a commit that failed: `SQLiteStore+Settling`. The file, its write-ahead log and its shared memory have
/// mode 0600 from birth.
public final class SQLiteStore: Store {
    public let path: String
    private(set) var phase: Phase
    /// What SQLite does at the end of the next transaction.
    var durability = Durability.synced
    /// What could not be looked up for the core: the next commit fails with it.
    var lookupFailure: StoreError?
    /// The number of the last turn on record, while it is known.
    var lastTurnKnown: Int64?
    /// Which commits were told, and the last that gave something to tell.
    var told: ToldMark
    var untoldNumber: UInt64
    /// The folder that the file lies in, where this process holds one. Without its lock nothing is written.
    let folder: StateFolder?
    /// Keys of removed runs that are kept at most.
    let usedKeysMax: Int
    private let steps: [String]
    /// Which file the write-ahead log is.
    private(set) var logInode: UInt64?
    /// Where the contents went when another file had been put in the place of the open one.
    var keptAs: String?
    /// Which file was written anew, until it is the open one.
    var writtenInode: UInt64?
    /// Called when the file had been taken away, and was written anew.
    public var onRescue: () -> Void = {}

    /// The life of the open file.
    enum Phase {
        case open(Statements)
        /// The end of the last transaction is not known: its frames may be in the log, valid, for the next recovery to
        /// find. Reads go on without it; the next write makes sure first that it is gone.
        case doubtful(Statements)
        case closed
    }

    /// Opens the file at `path`, or makes it; brings an older one up to date, with a copy kept beside it.
    ///
    /// - Parameter folder: the held folder that the file lies in. Its lock is looked at before everything that is
    ///   written: where it was removed it is made anew first, and where another process has it meanwhile the commit
    ///   fails with `locked`.
    /// - Throws: every kind but `constraint` and `locked`. After `damaged`, `setAside` makes room for a new one; after
    ///   `newerSchema`, nothing was written.
    public convenience init(path: String, in folder: StateFolder? = nil) throws(StoreError) {
        try self.init(path: path, in: folder, steps: Schema.steps)
    }

    init(
        path: String, in folder: StateFolder? = nil, steps: [String], usedKeysMax: Int = StoreBounds.usedKeysMax
    ) throws(StoreError) {
        self.path = path
        self.folder = folder
        self.steps = steps
        self.usedKeysMax = usedKeysMax
        told = ToldMark(store: path)
        untoldNumber = told.number
        let database = try Opening(path: path, steps: steps).database()
        do throws(StoreError) {
            phase = .open(try Statements(database))
            logInode = FileStatus(path + "-wal")?.inode
        } catch  where error.kind == .other {
            // Its version and its application id are ours, its tables are not.
            throw StoreError(
                kind: .damaged, operation: "open the store", path: path, code: error.code, message: error.message)
        }
    }

    /// The statements to read with, while the file is open.
    func opened(_ operation: @autoclosure () -> String) throws(StoreError) -> Statements {
        switch phase {
        case .open(let statements), .doubtful(let statements): return statements
        case .closed:
            throw StoreError(kind: .other, operation: operation(), path: path, message: "the store was closed")
        }
    }

    /// The statements to write with: what is in doubt is cleared up before.
    func writable(_ operation: @autoclosure () -> String) throws(StoreError) -> Statements {
        let statements = try opened(operation())
        guard case .doubtful = phase else { return statements }
        try clearUp(statements)
        phase = .open(statements)
        return statements
    }

    /// The commit of a transaction failed where it may come back.
    func doubtLastCommit() {
        guard case .open(let statements) = phase else { return }
        phase = .doubtful(statements)
    }

    /// Goes on with the file that is at the path now.
    func reopen() throws(StoreError) {
        phase = .open(try Statements(try Opening(path: path, steps: steps).database()))
        logInode = FileStatus(path + "-wal")?.inode
        lastTurnKnown = nil
        keptAs = nil
        writtenInode = nil
        durability = .synced
        let number = told.number
        told.close()
        told = ToldMark(store: path)
        if told.number < number { _ = told.set(number) }
    }

    public func checkpoint() throws(StoreError) {
        try rescueIfMoved()
        try writable("checkpoint the store").database.checkpoint()
    }

    public func close() {
        // The database goes with its last statement; SQLite moves the log into the file then.
        phase = .closed
        told.close()
    }

    // MARK: - Settings

    /// Rows of the table `setting`.
    enum Setting: String {
        /// `1` or `0`; no row where config.json decides.
        case schedulerOverride = "scheduler_override"
        /// What is used up of the budget over all: the day, runs, microseconds and cost.
        case budgetUse = "budget_use"
        /// The number of the commit, and in the next line the caller's words; no row where nothing ever was to tell.
        case untold
        /// The number of the last turn.
        case turn
        /// How often the store was probed.
        case probe
        /// The rows of `used_key`, and how many were dropped before their time.
        case usedKeys = "used_keys"
        case keysDropped = "keys_dropped"
        /// A `StoreNote`.
        case stateFile = "state_file"
        case configuration
        case olderHistory = "older_history"
        case desktop
        case goneTargets = "gone_targets"

        init(_ note: StoreNote) {
            switch note {
            case .stateFile: self = .stateFile
            case .configuration: self = .configuration
            case .olderHistory: self = .olderHistory
            case .desktop: self = .desktop
            case .goneTargets: self = .goneTargets
            }
        }
    }

    func setting(_ setting: Setting, _ statements: Statements) throws(StoreError) -> String? {
        statements.setting.bind(setting.rawValue)
        defer { statements.setting.reset() }
        return try statements.setting.step("read the setting \(setting.rawValue)") ? statements.setting.text() : nil
    }

    /// A setting that counts, from 0; a number that is none of ours counts as none.
    func counter(_ name: Setting, _ statements: Statements) throws(StoreError) -> Int64 {
        guard let number = Int64(try setting(name, statements) ?? "0") else { return 0 }
        return (0...Self.counterMax).contains(number) ? number : 0
    }

    /// No counter of ours gets there: a turn every microsecond for two hundred years.
    private static let counterMax: Int64 = 1 << 53

    func record(_ value: String?, for setting: Setting, _ statements: Statements) throws(StoreError) {
        let statement = value == nil ? statements.removeSetting : statements.setSetting
        statement.bind(setting.rawValue)
        if let value { statement.bind(value) }
        try statement.run("record the setting \(setting.rawValue)")
    }
}
