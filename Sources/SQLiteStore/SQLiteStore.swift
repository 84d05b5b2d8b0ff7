public import Schedules
public import Scheduling
public import Store

/// The store in one SQLite file: crash-proof, and any tool can read it.
///
/// The mental model is `Store`'s. Tables and indexes: `Schema`. Who waits for the disk: `SQLiteStore+Durability`.
/// The file, its write-ahead log and its shared memory have mode 0600 from birth.
public final class SQLiteStore: Store {
    public let path: String
    /// Nil once closed.
    private var statements: Statements?
    /// What SQLite does at the end of the next transaction.
    var durability = Durability.synced
    /// Why an execution id could not be looked up: the next commit fails with it.
    private var lookupFailure: StoreError?
    /// Which commits were told, and the last that gave something to tell.
    var told: ToldMark
    var untoldNumber: UInt64
    private let steps: [String]
    /// Which file the write-ahead log is.
    private(set) var logInode: UInt64?
    /// Where the contents went when another file had been put in the place of the open one.
    var keptAs: String?
    /// Which file was written anew, until it is the open one.
    var writtenInode: UInt64?
    /// Called when the file had been taken away, and was written anew.
    public var onRescue: () -> Void = {}

    /// Opens the file at `path`, or makes it; brings an older one up to date, with a copy kept beside it.
    ///
    /// - Throws: every kind but `constraint` and `locked`. After `damaged`, `setAside` makes room for a new one; after
    ///   `newerSchema`, nothing was written.
    public convenience init(path: String) throws(StoreError) {
        try self.init(path: path, steps: Schema.steps)
    }

    init(path: String, steps: [String]) throws(StoreError) {
        self.path = path
        self.steps = steps
        told = ToldMark(store: path)
        untoldNumber = told.number
        let connection = try Opening(path: path, steps: steps).connection()
        do throws(StoreError) {
            statements = try Statements(connection)
            logInode = FileStatus(path + "-wal")?.inode
        } catch  where error.kind == .other {
            // Its version and its application id are ours, its tables are not.
            throw StoreError(
                kind: .damaged, operation: "open the store", path: path, code: error.code, message: error.message)
        }
    }

    /// The statements, while the file is open.
    func opened(_ operation: @autoclosure () -> String) throws(StoreError) -> Statements {
        guard let statements else {
            throw StoreError(kind: .other, operation: operation(), path: path, message: "the store was closed")
        }
        return statements
    }

    /// Goes on with the file that is at the path now.
    func reopen() throws(StoreError) {
        statements = try Statements(try Opening(path: path, steps: steps).connection())
        logInode = FileStatus(path + "-wal")?.inode
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
        try opened("checkpoint the store").connection.checkpoint()
    }

    public func close() {
        // The connection goes with its last statement; SQLite moves the log into the file then.
        statements = nil
        told.close()
    }

    // MARK: - What a starting daemon needs

    public func load() throws(StoreError) -> StoredState {
        let operation = "load what the last daemon left"
        let statements = try opened(operation)
        var state = StoredState()
        state.schedulerOverride = try setting(.schedulerOverride, statements).map { $0 == "1" }

        defer { statements.jobStates.reset() }
        while try statements.jobStates.step(operation) {
            state.jobs.append(try JobStateRow.read(statements.jobStates))
        }
        defer { statements.activeRuns.reset() }
        while try statements.activeRuns.step(operation) {
            state.activeRuns.append(try RunRow.read(statements.activeRuns))
        }
        defer { statements.latestRun.reset() }
        if try statements.latestRun.step(operation) { state.latestRunAt = statements.latestRun.instantIfAny() }
        let definitions = statements.definitions
        defer { definitions.reset() }
        while try definitions.step(operation) {
            let job = definitions.text()
            let version = definitions.int()
            let json = definitions.text()
            state.definitions.append(
                .init(job: job, version: version, json: json, createdAt: definitions.instant()))
        }
        return state
    }

    /// Rows of the table `setting`.
    enum Setting: String {
        /// `1` or `0`; no row where config.json decides.
        case schedulerOverride = "scheduler_override"
        /// The number of the commit, and in the next line the caller's words; no row where nothing ever was to tell.
        case untold
        /// A `StoreNote`.
        case stateFile = "state_file"

        init(_ note: StoreNote) {
            switch note {
            case .stateFile: self = .stateFile
            }
        }
    }

    func setting(_ setting: Setting, _ statements: Statements) throws(StoreError) -> String? {
        statements.setting.bind(setting.rawValue)
        defer { statements.setting.reset() }
        return try statements.setting.step("read the setting \(setting.rawValue)") ? statements.setting.text() : nil
    }

    // MARK: - Single runs

    public func isDecided(job: String, fireTime: Instant) -> Bool {
        // Where the store cannot be read, the commit of the record is refused, if there is one already.
        ((try? runID(job: job, scheduledFor: fireTime)) ?? nil) != nil
    }

    public func firstKept(job: String, after instant: Instant, ofAtLeast count: Int) -> Instant? {
        do throws(StoreError) {
            let what = "look up the first fire time on record of \(job)"
            let statement = try opened(what).firstKept
            statement.bind(job)
            statement.bind(instant)
            statement.bind(job)
            statement.bind(count)
            defer { statement.reset() }
            return try statement.step(what) ? statement.instantIfAny() : nil
        } catch {
            // The register is asked of each, then.
            return nil
        }
    }

    public func isTaken(executionID: String) -> Bool {
        do throws(StoreError) {
            let statements = try opened("look up the execution id \(executionID)")
            if try summary(ofRun: executionID, statements) != nil { return true }
            return try wasRemoved(executionID: executionID, statements)
        } catch {
            lookupFailure = error
            return false
        }
    }

    /// What the core asks while it decides: where it cannot be known, the next commit fails with the reason.
    func lookUp<Answer>(_ absent: Answer, _ read: () throws(StoreError) -> Answer) -> Answer {
        do throws(StoreError) {
            return try read()
        } catch {
            lookupFailure = error
            return absent
        }
    }

    public func earlierRun(idempotencyKey: String) -> EarlierRun? {
        lookUp(nil) { () throws(StoreError) in
            try runID(idempotencyKey: idempotencyKey).flatMap { id throws(StoreError) in try run(id: id) }.map { .kept($0) }
        }
    }

    public func earlierRun(job: String, scheduledFor: Instant) -> EarlierRun? {
        lookUp(nil) { () throws(StoreError) in
            try runID(job: job, scheduledFor: scheduledFor).flatMap { id throws(StoreError) in try run(id: id) }
                .map { .kept($0) }
        }
    }

    /// Fails where an id was given out unchecked since the last call.
    func throwLookupFailure() throws(StoreError) {
        guard let failure = lookupFailure else { return }
        lookupFailure = nil
        throw failure
    }

    public func run(id: String) throws(StoreError) -> Run? {
        let statement = try opened("read the run \(id)").run
        statement.bind(id)
        defer { statement.reset() }
        return try statement.step("read the run \(id)") ? try RunRow.read(statement) : nil
    }

    public func runID(job: String, scheduledFor: Instant) throws(StoreError) -> String? {
        let statement = try opened("look up a fire time of \(job)").runByFireTime
        statement.bind(job)
        statement.bind(scheduledFor)
        defer { statement.reset() }
        return try statement.step("look up a fire time of \(job)") ? statement.text() : nil
    }

    public func runID(idempotencyKey: String) throws(StoreError) -> String? {
        let statement = try opened("look up an idempotency key").runByIdempotencyKey
        statement.bind(idempotencyKey)
        defer { statement.reset() }
        return try statement.step("look up an idempotency key") ? statement.text() : nil
    }

    public func attempts(ofRun id: String) throws(StoreError) -> [Attempt] {
        let statement = try opened("read the attempts of \(id)").attempts
        statement.bind(id)
        defer { statement.reset() }
        var attempts: [Attempt] = []
        while try statement.step("read the attempts of \(id)") {
            attempts.append(AttemptRow.read(statement, run: id))
        }
        return attempts
    }

    // MARK: - What the commit needs to know of a run

    /// What is on record of a run, in short.
    struct RunSummary {
        /// The key of its row and its attempts.
        var sequence: Int64
        var status: Run.Status
        var attempt: Int
        var retryAt: Instant?
        var ending: Run.Ending?
    }

    func summary(ofRun id: String, _ statements: Statements) throws(StoreError) -> RunSummary? {
        let statement = statements.runSummary
        statement.bind(id)
        defer { statement.reset() }
        guard try statement.step("look up the run \(id)") else { return nil }
        let sequence = statement.integer()
        let status = try statement.word(Run.Status.self)
        let attempt = statement.int()
        let retryAt = statement.instantIfAny()
        return RunSummary(
            sequence: sequence, status: status, attempt: attempt, retryAt: retryAt,
            ending: try statement.wordIfAny(Run.Ending.self))
    }

    func wasRemoved(executionID: String, _ statements: Statements) throws(StoreError) -> Bool {
        statements.wasRemoved.bind(ExecutionIDKey(executionID).value)
        defer { statements.wasRemoved.reset() }
        return try statements.wasRemoved.step("look up the execution id \(executionID)")
    }
}
