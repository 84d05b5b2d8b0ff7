// A libFuzzer target for what supervisors write and the daemon reads back: outcomes, requests, identities.

import Processes

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOutcome(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    let record = Record(parsing: bytes)
    checkRecord(record, of: bytes)
    checkOutcome(SupervisorOutcome(parsing: bytes))
    checkRequest(SupervisorRequest(record))
    for prefix in ["supervisor", "process"] {
        guard let identity = ProcessIdentity(record, prefix: prefix) else { continue }
        precondition(identity.pid > 1, "a signal to \(identity.pid) goes to others")
        var copy = Record()
        identity.add(to: &copy, prefix: prefix)
        precondition(ProcessIdentity(copy, prefix: prefix) == identity, "an identity comes back as another")
    }
    _ = record.remarks
    return 0
}

/// What was read is written and read again as the same, and never more than was there.
private func checkRecord(_ record: Record, of bytes: [UInt8]) {
    precondition(record.fields.reduce(0) { $0 + $1.value.count } <= bytes.count, "a record has more than its file")
    let again = Record(parsing: record.openBytes)
    precondition(again.fields == record.fields, "a record comes back as another")
    let few = Record(parsing: bytes, fieldsMax: 3)
    precondition(
        few.fields.count <= 3 && few.fields == Array(record.fields.prefix(3)), "the bound of fields is another")
    precondition(
        few.isComplete == (record.isComplete && record.fields.count <= 3), "more fields than may be are a whole")
}

/// With any two of its numbers the daemon may count.
private func checkOutcome(_ outcome: SupervisorOutcome?) {
    guard let outcome else { return }
    switch outcome.ending {
    case .exited(let status): precondition((0...255).contains(status), "no process exits with \(status)")
    case .signaled(let signal, _): precondition((1...64).contains(signal), "there is no signal \(signal)")
    case .couldNotStart, .shortOfResources, .lost: break
    }
    _ = outcome.endedUSec - outcome.startedUSec + outcome.userCPUUSec + outcome.systemCPUUSec
    precondition(outcome.headCount >= 0 && outcome.tailCount >= 0, "less than nothing is kept")
    precondition(outcome.outputCount - outcome.headCount - outcome.tailCount >= 0, "more is kept than was written")
    precondition(SupervisorOutcome(parsing: outcome.record.bytes) == outcome, "an outcome comes back as another")
}

private func checkRequest(_ request: SupervisorRequest?) {
    guard let request, let again = SupervisorRequest(Record(parsing: request.record.bytes)) else { return }
    precondition(again.arguments == request.arguments, "a request comes back as another")
    _ = OutputBounds(limit: request.outputLimit).segmentLimit
}
