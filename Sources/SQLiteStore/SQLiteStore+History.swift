import Schedules
import Scheduling
public import Store

extension SQLiteStore {
    public func history(_ query: HistoryQuery) throws(StoreError) -> HistoryPage {
        let operation = "read the history"
        var filters: HistoryFilters = []
        if query.job != nil { filters.insert(.job) }
        if query.status != nil { filters.insert(.status) }
        if query.trigger != nil { filters.insert(.trigger) }
        if query.trigger == .schedule { filters.insert(.commonTrigger) }

        let statement = try opened(operation).history(filters)
        defer { statement.reset() }
        if let job = query.job { statement.bind(job) }
        if let status = query.status { statement.bind(status.rawValue) }
        if let trigger = query.trigger { statement.bind(trigger.rawValue) }
        statement.bind(query.since?.microseconds ?? .min)
        let end = end(of: query)
        statement.bind(end.createdAtMicroseconds)
        statement.bind(end.sequence)
        // One more than asked for tells whether there is a next page.
        let limit = query.effectiveLimit
        statement.bind(limit + 1)

        var runs: [Run] = []
        var last: HistoryCursor?
        while try statement.step(operation) {
            guard runs.count < limit else { return HistoryPage(runs: runs, next: last) }
            // As it is on disk: clamped it would be the place of other runs.
            let createdAt = statement.integer()
            last = HistoryCursor(createdAtMicroseconds: createdAt, sequence: statement.integer())
            // One that cannot be read is no reason to keep the others back; asked for by its id it says so.
            if let run = try? RunRow.read(statement) { runs.append(run) }
        }
        return HistoryPage(runs: runs, next: nil)
    }

    /// The key that every run of the page is below: the cursor's or `until`'s, whichever is older.
    private func end(of query: HistoryQuery) -> HistoryCursor {
        // No sequence number is below zero: with it nothing of that microsecond is in.
        let until = query.until.map { HistoryCursor(createdAtMicroseconds: $0.microseconds, sequence: .min) }
        let candidates = [query.cursor, until].compactMap { $0 }
        return candidates.min { ($0.createdAtMicroseconds, $0.sequence) < ($1.createdAtMicroseconds, $1.sequence) }
            ?? HistoryCursor(createdAtMicroseconds: .max, sequence: .max)
    }

    public func statistics() throws(StoreError) -> StoreStatistics {
        let operation = "read the totals"
        let statements = try opened(operation)
        let statement = statements.counts
        defer { statement.reset() }
        var counts: [Run.Status: Int] = [:]
        while try statement.step(operation) {
            let status = statement.wordIfKnown(Run.Status.self)
            if let status { counts[status] = statement.count() }
        }
        return StoreStatistics(counts: counts, keysDropped: Int(try counter(.keysDropped, statements)))
    }
}
