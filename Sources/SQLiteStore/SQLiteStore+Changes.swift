public import Scheduling
public import Store

/// Who changed what of the jobs.
extension SQLiteStore {
    public func changes(ofJob job: String, limit: Int) throws(StoreError) -> [JobChange] {
        let operation = "read the changes of the job \(job)"
        let statement = try opened(operation).changes
        statement.bind(job)
        statement.bind(max(0, limit))
        defer { statement.reset() }
        var changes: [JobChange] = []
        while try statement.step(operation) {
            // One that no version could have written is left out.
            if let change = try? JobChangeRow.read(statement) { changes.append(change) }
        }
        return changes
    }

    func record(_ change: JobChange, _ statements: Statements) throws(StoreError) {
        if change.what == .removed { try markGone(change.job, statements) }
        JobChangeRow.bind(change, to: statements.setChange)
        statements.setChange.bind(change.what == .removed)
        try statements.setChange.run("record a change of the job \(change.job)")
        statements.removeChangesBeyond.bind(change.job)
        statements.removeChangesBeyond.bind(JobChange.keptPerJob)
        try statements.removeChangesBeyond.run("forget old changes of the job \(change.job)")
    }

    /// The job is no more: what was changed of it is kept as long as its history, also where another takes its name.
    func markGone(_ job: String, _ statements: Statements) throws(StoreError) {
        statements.markGone.bind(job)
        try statements.markGone.run("mark the changes of the job \(job)")
    }

    /// The greatest number of a change on record.
    func lastChange(_ statements: Statements) throws(StoreError) -> Int64 {
        defer { statements.lastChange.reset() }
        return try statements.lastChange.step("find the last change of a job") ? statements.lastChange.integer() : 0
    }
}
