// A libFuzzer target for the rows of the store: what another program wrote into its file.
//
// Four bytes are one value in one column: table, column, value, and in how many rows. The store is opened, asked
// everything and written to; it may refuse, and it never traps. What comes back lies in its bounds.

import Glibc

private let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/dev/shm"
private let path = "\(folder)/fuzz-store-\(getpid()).db"
/// A file gathers what was written to it; after so many inputs it is made anew.
private let inputsPerFile = 50
nonisolated(unsafe) private var inputs = 0
nonisolated(unsafe) private var rows: HostileRows?

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzStore(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    if inputs.isMultiple(of: inputsPerFile) {
        rows?.close()
        for suffix in ["", "-wal", "-shm", "-told"] { unlink(path + suffix) }
        rows = HostileRows(path: path)
    }
    inputs += 1
    guard let rows else { preconditionFailure("no store could be made at \(path)") }
    for offset in stride(from: 0, to: count - 3, by: 4) {
        rows.scribble(
            table: Int(data[offset]), column: Int(data[offset + 1]), value: Int(data[offset + 2]),
            isInAll: data[offset + 3].isMultiple(of: 2))
    }
    let findings = rows.exercise()
    precondition(findings.isEmpty, "\(findings)")
    return 0
}
