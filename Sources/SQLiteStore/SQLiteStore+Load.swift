public import Scheduling
public import Store

extension SQLiteStore {
    /// No room is made for more than that before they are there: the count is read from a file.
    private static let reservedMax = 1 << 20

    public func load() throws(StoreError) -> StoredState {
        let operation = "load what the last daemon left"
        let statements = try opened(operation)
        var state = StoredState()
        state.schedulerOverride = try setting(.schedulerOverride, statements).map { $0 == "1" }

        state.budgetUse = try setting(.budgetUse, statements).flatMap(BudgetUse.init(record:)) ?? BudgetUse()
        defer { statements.groupHolds.reset() }
        while state.groupHolds.count < Scheduler.Limits.groupHolds, try statements.groupHolds.step(operation) {
            state.groupHolds.append(GroupHoldRow.read(statements.groupHolds))
        }

        // Two names that SQLite tells apart may be one in Swift: who makes a dictionary of them must not trap.
        var names: Set<String> = []
        defer { statements.jobStateCount.reset() }
        if try statements.jobStateCount.step(operation) {
            // An array that grows has, in the end, up to twice the room that it needs.
            let count = min(statements.jobStateCount.count(), Self.reservedMax)
            state.jobs.reserveCapacity(count)
            names.reserveCapacity(count)
        }
        defer { statements.jobStates.reset() }
        while try statements.jobStates.step(operation) {
            let job = JobStateRow.read(statements.jobStates)
            if names.insert(job.job).inserted {
                state.jobs.append(job)
            } else {
                state.leaveOut("a second state of the job \(job.job)")
            }
        }
        names.removeAll()
        defer { statements.activeRuns.reset() }
        while try statements.activeRuns.step(operation) {
            do throws(StoreError) {
                let run = try RunRow.read(statements.activeRuns)
                if names.insert(run.id).inserted {
                    state.activeRuns.append(run)
                } else {
                    state.leaveOut("a second run \(run.id)")
                }
            } catch {
                state.leaveOut(error.message)
            }
        }
        names.removeAll()
        defer { statements.waitingMessages.reset() }
        while try statements.waitingMessages.step(operation) {
            do throws(StoreError) {
                let message = try MessageRow.read(statements.waitingMessages)
                if names.insert(message.id).inserted {
                    state.messages.append(message)
                } else {
                    state.leaveOut("a second message \(message.id)")
                }
            } catch {
                state.leaveOut(error.message)
            }
        }
        defer { statements.latestRun.reset() }
        if try statements.latestRun.step(operation) { state.latestRunAt = statements.latestRun.instantIfAny() }
        state.lastChange = try lastChange(statements)
        names.removeAll()
        let definitions = statements.definitions
        defer { definitions.reset() }
        while try definitions.step(operation) {
            let job = definitions.text()
            let version = definitions.count()
            let json = definitions.text()
            if names.insert(job).inserted {
                state.definitions.append(
                    .init(job: job, version: version, json: json, createdAt: definitions.instant()))
            } else {
                state.leaveOut("a second definition of the job \(job)")
            }
        }
        return state
    }
}

extension StoredState {
    fileprivate mutating func leaveOut(_ what: String) {
        if unreadable.count < Self.unreadableMax { unreadable.append(what) }
    }
}
