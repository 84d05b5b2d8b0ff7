import CSQLite
import Schedules
import Store

/// One prepared statement (`sqlite3_stmt`), kept for the life of its database.
///
/// Values are bound in the order of the parameters and read in the order of the columns: both count on by
/// themselves, so that a table's columns are listed once to write and once to read. `reset` after use, in a `defer`:
/// a statement that is not reset holds its read lock.
final class Statement {
    private let handle: OpaquePointer
    private let database: Database
    private var parameter: Int32 = 0
    private var column: Int32 = -1
    /// The first that could not be bound (a text that is too long, no memory); `step` throws it.
    private var bindCode = SQLITE_OK

    init(_ sql: String, on database: Database) throws(StoreError) {
        database.assertThread()
        var handle: OpaquePointer?
        let code = sqlite3_prepare_v3(
            database.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
        guard code == SQLITE_OK, let handle else {
            throw database.error(code, "prepare a statement for the store")
        }
        self.handle = handle
        self.database = database
    }

    deinit { sqlite3_finalize(handle) }

    // MARK: - Running

    /// Whether there is a (next) row.
    func step(_ operation: @autoclosure () -> String) throws(StoreError) -> Bool {
        database.assertThread()
        guard bindCode == SQLITE_OK else { throw database.unbound(bindCode, operation()) }
        column = -1
        let code = sqlite3_step(handle)
        switch code {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw database.error(code, operation())
        }
    }

    /// Runs a statement that gives no rows, and resets it.
    func run(_ operation: @autoclosure () -> String) throws(StoreError) {
        defer { reset() }
        _ = try step(operation())
    }

    /// Runs a statement that gives no rows, and resets it. Returns how many it removed or changed.
    func runCounting(_ operation: @autoclosure () -> String) throws(StoreError) -> Int {
        try run(operation())
        return Int(sqlite3_changes(database.handle))
    }

    /// Makes it ready for the next use. Bound values stay until they are bound anew.
    func reset() {
        // Its code repeats the one of the last step.
        sqlite3_reset(handle)
        parameter = 0
        column = -1
        bindCode = SQLITE_OK
    }

    // MARK: - Binding

    func bind(_ value: Int64?) {
        let index = nextParameter()
        keep(value.map { sqlite3_bind_int64(handle, index, $0) } ?? sqlite3_bind_null(handle, index))
    }

    /// Not a number becomes NULL, in SQLite's ways; a column that can hold it allows NULL for it.
    func bind(_ value: Double?) {
        let index = nextParameter()
        keep(value.map { sqlite3_bind_double(handle, index, $0) } ?? sqlite3_bind_null(handle, index))
    }

    func bind(_ value: String?) {
        let index = nextParameter()
        guard var value else { return keep(sqlite3_bind_null(handle, index)) }
        guard value.utf8.count <= StoreBounds.textBytesMax else { return keep(SQLITE_TOOBIG) }
        keep(
            value.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) { text in
                    bc_sqlite_bind_text(handle, index, text.baseAddress, UInt64(text.count))
                }
            })
    }

    private func nextParameter() -> Int32 {
        parameter += 1
        return parameter
    }

    private func keep(_ code: Int32) {
        if bindCode == SQLITE_OK { bindCode = code }
    }

    // MARK: - Reading

    func integer() -> Int64 { sqlite3_column_int64(handle, nextColumn()) }

    func integerIfAny() -> Int64? {
        let index = nextColumn()
        return sqlite3_column_type(handle, index) == SQLITE_NULL ? nil : sqlite3_column_int64(handle, index)
    }

    /// Not a number where NULL.
    func real() -> Double { realIfAny() ?? .nan }

    func realIfAny() -> Double? {
        let index = nextColumn()
        return sqlite3_column_type(handle, index) == SQLITE_NULL ? nil : sqlite3_column_double(handle, index)
    }

    /// Nil where it is NULL, infinite or no number.
    func finite() -> Double? { realIfAny().flatMap { $0.isFinite ? $0 : nil } }

    func text() -> String { textIfAny() ?? "" }

    /// Bytes that are no UTF-8 (a damaged file) are repaired; what is beyond the bound of texts is cut off.
    func textIfAny() -> String? {
        let index = nextColumn()
        // NULL too where SQLite has no memory left to give it.
        guard let bytes = sqlite3_column_text(handle, index) else { return nil }
        let count = min(Int(sqlite3_column_bytes(handle, index)), StoreBounds.textBytesMax)
        return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    private func nextColumn() -> Int32 {
        column += 1
        return column
    }

    /// What a value that no version of ours writes means: a damaged file.
    func damage(_ message: String) -> StoreError {
        StoreError(kind: .damaged, operation: "read the store", path: database.path, message: message)
    }
}

// MARK: - Values of ours

extension Statement {
    func bind(_ value: Int) { bind(Int64(value)) }
    func bind(_ value: Int32?) { bind(value.map(Int64.init)) }
    func bind(_ value: Bool?) { bind(value.map { $0 ? Int64(1) : 0 }) }
    func bind(_ value: Instant?) { bind(value?.microseconds) }
    func bind(_ value: Duration?) { bind(value?.inMicroseconds) }

    /// An integer as it is.
    func int() -> Int { Int(integer()) }
    func boolIfAny() -> Bool? { integerIfAny().map { $0 != 0 } }

    // Clamped, as `StoreBounds` promises.
    func count() -> Int { clamped(int(), StoreBounds.counts) }
    func instant() -> Instant { Self.instant(integer()) }
    func instantIfAny() -> Instant? { integerIfAny().map(Self.instant) }
    func durationIfAny() -> Duration? {
        integerIfAny().map { .microseconds(clamped($0, StoreBounds.durationMicroseconds)) }
    }

    static func instant(_ microseconds: Int64) -> Instant {
        clamped(Instant(microseconds: microseconds), StoreBounds.instants)
    }

    /// One of the words of `Value`; `row` says whose.
    func word<Value: RawRepresentable<String>>(_: Value.Type, of row: @autoclosure () -> String) throws(StoreError)
        -> Value
    {
        let text = text()
        guard let value = Value(rawValue: text) else {
            throw damage("\(row()): \"\(text.prefix(Self.shownMax))\" is no \(Value.self)")
        }
        return value
    }

    /// Nil where it is none of the words of `Value`.
    func wordIfKnown<Value: RawRepresentable<String>>(_: Value.Type) -> Value? {
        textIfAny().flatMap { Value(rawValue: $0) }
    }

    /// Characters of a wrong word that an error shows.
    private static let shownMax = 40
}

private func clamped<Value: Comparable>(_ value: Value, _ range: ClosedRange<Value>) -> Value {
    min(max(value, range.lowerBound), range.upperBound)
}

extension Duration {
    /// Cut to whole microseconds, and to what 64 bits hold.
    var inMicroseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, isTooLong) = seconds.multipliedReportingOverflow(by: 1_000_000)
        let (sum, isTooLongWithRest) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000_000)
        return isTooLong || isTooLongWithRest ? (seconds < 0 ? .min : .max) : sum
    }
}
