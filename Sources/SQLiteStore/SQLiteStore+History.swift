import Schedules
import Scheduling
public import Store

extension SQLiteStore {
    public func history(_ query: HistoryQuery) throws(StoreError) -> HistoryPage {
        let operation = "read the history"
        // Each status by its index, newest first, and of their heads always the newest: no row is read for nothing.
        let statuses: [Run.Status?] = query.statuses.isEmpty ? [nil] : query.statuses
        let statements = try statuses.enumerated().map { place, status throws(StoreError) in
            try statement(for: query, status, place: place, operation)
        }
        defer { for statement in statements { statement.reset() } }
        var heads: [HistoryCursor?] = []
        for statement in statements { heads.append(try nextPlace(statement, operation)) }

        var runs: [Run] = []
        var count = 0
        var last: HistoryCursor?
        while let newest = newest(of: heads), let head = heads[newest] {
            guard count < query.effectiveLimit else { return HistoryPage(runs: runs, next: last) }
            (count, last) = (count + 1, head)
            // One that cannot be read is no reason to keep the others back; asked for by its id it says so.
            if let run = try? RunRow.read(statements[newest]) { runs.append(run) }
            heads[newest] = try nextPlace(statements[newest], operation)
        }
        return HistoryPage(runs: runs, next: nil)
    }

    private func statement(
        for query: HistoryQuery, _ status: Run.Status?, place: Int, _ operation: String
    ) throws(StoreError) -> Statement {
        var filters: HistoryFilters = []
        if query.job != nil { filters.insert(.job) }
        if status != nil { filters.insert(.status) }
        if query.trigger != nil { filters.insert(.trigger) }
        if query.trigger == .schedule { filters.insert(.commonTrigger) }
        let statement = try opened(operation).history(filters, place: place)
        if let job = query.job { statement.bind(job) }
        if let status { statement.bind(status.rawValue) }
        if let trigger = query.trigger { statement.bind(trigger.rawValue) }
        statement.bind(query.since?.microseconds ?? .min)
        let end = end(of: query)
        statement.bind(end.createdAtMicroseconds)
        statement.bind(end.sequence)
        // One more than asked for tells whether there is a next page.
        statement.bind(query.effectiveLimit + 1)
        return statement
    }

    /// The place of the next row, as it is on disk: clamped it would be the place of other runs.
    private func nextPlace(_ statement: Statement, _ operation: String) throws(StoreError) -> HistoryCursor? {
        guard try statement.step(operation) else { return nil }
        let createdAt = statement.integer()
        return HistoryCursor(createdAtMicroseconds: createdAt, sequence: statement.integer())
    }

    private func newest(of heads: [HistoryCursor?]) -> Int? {
        heads.indices.filter { heads[$0] != nil }.max { first, second in
            guard let first = heads[first], let second = heads[second] else { return false }
            return (first.createdAtMicroseconds, first.sequence) < (second.createdAtMicroseconds, second.sequence)
        }
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
