public import Schedules
public import Scheduling
public import Store

/// What is asked of single runs, by the core while it decides and by those who answer clients.
extension SQLiteStore {
    // MARK: - What the core asks

    public func isDecided(job: String, fireTime: Instant) -> Bool {
        lookUp(false) { () throws(StoreError) in
            if try runID(job: job, scheduledFor: fireTime) != nil { return true }
            return try removedRun(job: job, scheduledFor: fireTime) != nil
        }
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

    public func spans(ofJob job: String, over fireTime: Instant) -> [Range<Instant>] {
        lookUp([]) { () throws(StoreError) in
            let what = "look up what stands for a fire time of \(job)"
            let statement = try opened(what).standsFor
            statement.bind(job)
            statement.bind(fireTime)
            statement.bind(fireTime)
            defer { statement.reset() }
            var spans: [Range<Instant>] = []
            while try statement.step(what) {
                let (since, last) = (statement.instant(), statement.instant())
                spans.append(since..<max(since, last))
            }
            return spans
        }
    }

    public func isTaken(executionID: String) -> Bool {
        lookUp(false) { () throws(StoreError) in
            let statements = try opened("look up the execution id \(executionID)")
            if try summary(ofRun: executionID, statements) != nil { return true }
            return try wasRemoved(executionID: executionID, statements)
        }
    }

    public func earlierRun(idempotencyKey: String) -> EarlierRun? {
        lookUp(nil) { () throws(StoreError) in
            if let id = try runID(idempotencyKey: idempotencyKey), let run = try run(id: id) { return .kept(run) }
            return try removedRun(idempotencyKey: idempotencyKey).map { .removed($0) }
        }
    }

    public func earlierRun(job: String, scheduledFor: Instant) -> EarlierRun? {
        lookUp(nil) { () throws(StoreError) in
            if let id = try runID(job: job, scheduledFor: scheduledFor), let run = try run(id: id) { return .kept(run) }
            return try removedRun(job: job, scheduledFor: scheduledFor).map { .removed($0) }
        }
    }

    public func recordedRun(id: String) -> Run? { lookUp(nil) { () throws(StoreError) in try run(id: id) } }

    public func successDurations(ofJob job: String, limit: Int) -> [Duration] {
        lookUp([]) { () throws(StoreError) in
            let what = "look up how long \(job) takes"
            let statement = try opened(what).successSpans
            statement.bind(job)
            statement.bind(limit)
            defer { statement.reset() }
            var durations: [Duration] = []
            while try statement.step(what) {
                let (start, end) = (statement.instantIfAny(), statement.instantIfAny())
                if let start, let end { durations.append(max(.zero, end - start)) }
            }
            return durations
        }
    }

    /// What the core asks while it decides: where it cannot be known, the next commit fails with the reason, so nothing
    /// is recorded that was decided without it.
    func lookUp<Answer>(_ absent: Answer, _ read: () throws(StoreError) -> Answer) -> Answer {
        do throws(StoreError) {
            return try read()
        } catch {
            lookupFailure = error
            return absent
        }
    }

    /// Fails where something could not be looked up since the last call.
    func throwLookupFailure() throws(StoreError) {
        guard let failure = lookupFailure else { return }
        lookupFailure = nil
        throw StoreError(
            kind: .lookupFailed, operation: failure.operation, path: failure.path, code: failure.code,
            message: failure.message)
    }

    // MARK: - Single runs

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
        /// Nil where it is a word that no version writes.
        var status: Run.Status?
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
        let status = statement.wordIfKnown(Run.Status.self)
        let attempt = statement.count()
        let retryAt = statement.instantIfAny()
        return RunSummary(
            sequence: sequence, status: status, attempt: attempt, retryAt: retryAt,
            ending: statement.wordIfKnown(Run.Ending.self))
    }

    func wasRemoved(executionID: String, _ statements: Statements) throws(StoreError) -> Bool {
        statements.wasRemoved.bind(ExecutionIDKey(executionID).value)
        defer { statements.wasRemoved.reset() }
        return try statements.wasRemoved.step("look up the execution id \(executionID)")
    }
}
