import CSQLite
import Schedules
import Store

/// One prepared statement (`sqlite3_stmt`), kept for the life of its connection.
///
/// Values are bound in the order of the parameters and read in the order of the columns: both count on by
/// themselves, so that a table's columns are listed once to write and once to read. `reset` after use, in a `defer`:
/// a statement that is not reset holds its read lock.
final class Statement {
    private let handle: OpaquePointer
    private let connection: Connection
    private var parameter: Int32 = 0
    private var column: Int32 = -1
    /// The first that could not be bound (a text beyond SQLite's limit, no memory); `step` throws it.
    private var bindCode = SQLITE_OK

    init(_ sql: String, on connection: Connection) throws(StoreError) {
        connection.assertThread()
        var handle: OpaquePointer?
        let code = sqlite3_prepare_v3(
            connection.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
        guard code == SQLITE_OK, let handle else {
            throw connection.error(code, "prepare a statement for the store")
        }
        self.handle = handle
        self.connection = connection
    }

    deinit { sqlite3_finalize(handle) }

    // MARK: - Running

    /// Whether there is a (next) row.
    func step(_ operation: @autoclosure () -> String) throws(StoreError) -> Bool {
        connection.assertThread()
        guard bindCode == SQLITE_OK else { throw connection.error(bindCode, operation()) }
        column = -1
        let code = sqlite3_step(handle)
        switch code {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw connection.error(code, operation())
        }
    }

    /// Runs a statement that gives no rows, and resets it.
    func run(_ operation: @autoclosure () -> String) throws(StoreError) {
        defer { reset() }
        _ = try step(operation())
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

    func text() -> String { textIfAny() ?? "" }

    /// Bytes that are no UTF-8 (a damaged file) are repaired.
    func textIfAny() -> String? {
        let index = nextColumn()
        // NULL too where SQLite has no memory left to give it.
        guard let bytes = sqlite3_column_text(handle, index) else { return nil }
        let count = Int(sqlite3_column_bytes(handle, index))
        return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    private func nextColumn() -> Int32 {
        column += 1
        return column
    }

    /// What a value that no version of ours writes means: a damaged file.
    func damage(_ message: String) -> StoreError {
        StoreError(kind: .damaged, operation: "read the store", path: connection.path, message: message)
    }
}

// MARK: - Values of ours

extension Statement {
    func bind(_ value: Int) { bind(Int64(value)) }
    func bind(_ value: Int32?) { bind(value.map(Int64.init)) }
    func bind(_ value: Bool?) { bind(value.map { $0 ? Int64(1) : 0 }) }
    func bind(_ value: Instant?) { bind(value?.microseconds) }
    func bind(_ value: Duration?) { bind(value?.inMicroseconds) }

    func int() -> Int { Int(integer()) }
    func boolIfAny() -> Bool? { integerIfAny().map { $0 != 0 } }
    func instant() -> Instant { Instant(microseconds: integer()) }
    func instantIfAny() -> Instant? { integerIfAny().map { Instant(microseconds: $0) } }
    func durationIfAny() -> Duration? { integerIfAny().map { .microseconds($0) } }

    /// One of the words of `Value`.
    func word<Value: RawRepresentable<String>>(_: Value.Type) throws(StoreError) -> Value {
        let text = text()
        guard let value = Value(rawValue: text) else { throw damage("\"\(text)\" is no \(Value.self)") }
        return value
    }

    func wordIfAny<Value: RawRepresentable<String>>(_: Value.Type) throws(StoreError) -> Value? {
        guard let text = textIfAny() else { return nil }
        guard let value = Value(rawValue: text) else { throw damage("\"\(text)\" is no \(Value.self)") }
        return value
    }
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
