/// How an attempt ended, as its supervisor has seen it: the file `outcome`.
public struct SupervisorOutcome: Equatable, Sendable {
    public enum Ending: Equatable, Sendable {
        /// With this exit status, 0…255.
        case exited(Int32)
        case signaled(Int32, coreDumped: Bool)
        /// No process came to be: the text says what was tried and what would be right.
        case couldNotStart(String)
        /// No process came to be, because the machine or a limit of this user had no more fds, memory or processes just
        /// then: a later try may succeed. The text as above.
        case shortOfResources(String)
        /// It ran, and how it ended is not known: the text says why.
        case lost(String)
    }

    public var ending: Ending
    /// Why it was ended; at most one of the three, the first.
    public var isTimedOut = false
    public var isStalled = false
    public var isCancelled = false
    /// The kernel killed processes of it because they were beyond their memory.
    public var isOutOfMemory = false
    /// By the wall clock, in µs since 1970.
    public var startedUSec: Int64 = 0
    public var endedUSec: Int64 = 0
    /// What the process and all its descendants that had ended have used.
    public var userCPUUSec: Int64 = 0
    public var systemCPUUSec: Int64 = 0
    /// What the largest of them had in memory at most.
    public var maxRSSKiB: Int64 = 0
    /// The same of all processes of its scope together, where it has one and the kernel tells.
    public var scopeCPUUSec: Int64?
    public var scopeMemoryPeakBytes: Int64?
    /// Bytes written in all; of them, those at the start of the file `output`, and those of the end that follow there.
    public var outputCount: Int64 = 0
    public var headCount: Int64 = 0
    public var tailCount: Int64 = 0
    /// Tells one output from another; nil where it was not written down.
    public var outputDigest: Int64?
    /// Why less of the output was kept than the bound allows.
    public var outputError: String?
    /// Which of its limits could not be set, and why.
    public var limitsError: String?
    /// What the process said of itself by its context socket: the last value of each word.
    public var remarks: [String: String] = [:]

    public init(ending: Ending) {
        self.ending = ending
    }
}

// MARK: - As a record

extension SupervisorOutcome {
    public var record: Record {
        var record = Record()
        switch ending {
        case .exited(let status): record.add("exited", Int64(status))
        case .signaled(let signal, let coreDumped):
            record.add("signal", Int64(signal))
            record.add("core", where: coreDumped)
        case .couldNotStart(let reason): record.add("failure", reason)
        case .shortOfResources(let reason): record.add("shortage", reason)
        case .lost(let reason): record.add("lost", reason)
        }
        record.add("timed-out", where: isTimedOut)
        record.add("stalled", where: isStalled)
        record.add("cancelled", where: isCancelled)
        record.add("out-of-memory", where: isOutOfMemory)
        record.add("started", startedUSec)
        record.add("ended", endedUSec)
        record.add("user", userCPUUSec)
        record.add("system", systemCPUUSec)
        record.add("max-rss", maxRSSKiB)
        if let scopeCPUUSec { record.add("scope-cpu", scopeCPUUSec) }
        if let scopeMemoryPeakBytes { record.add("scope-memory", scopeMemoryPeakBytes) }
        record.add("written", outputCount)
        record.add("head", headCount)
        record.add("tail", tailCount)
        if let outputDigest { record.add("digest", outputDigest) }
        if let outputError { record.add("output-error", outputError) }
        if let limitsError { record.add("limits-error", limitsError) }
        record.add(remarks: remarks)
        return record
    }

    /// The outcome that stands in a file's bytes, of which there are at most `RunFolder.recordBytesMax`.
    public init?(parsing bytes: [UInt8]) {
        self.init(Record(parsing: bytes, fieldsMax: RunFolder.fieldsMax))
    }

    /// nil where the record is not whole, or says what no supervisor writes: as if there were none.
    public init?(_ record: Record) {
        guard record.isComplete, let ending = Self.ending(record) else { return nil }
        self.ending = ending
        isTimedOut = record.isSet("timed-out")
        isStalled = record.isSet("stalled")
        isCancelled = record.isSet("cancelled")
        isOutOfMemory = record.isSet("out-of-memory")
        startedUSec = record.number("started") ?? 0
        endedUSec = record.number("ended") ?? startedUSec
        userCPUUSec = record.number("user") ?? 0
        systemCPUUSec = record.number("system") ?? 0
        maxRSSKiB = record.number("max-rss") ?? 0
        headCount = record.number("head") ?? 0
        tailCount = record.number("tail") ?? 0
        outputCount = record.number("written") ?? headCount &+ tailCount
        scopeCPUUSec = record.number("scope-cpu")
        scopeMemoryPeakBytes = record.number("scope-memory")
        let counts = [
            userCPUUSec, systemCPUUSec, maxRSSKiB, scopeCPUUSec ?? 0, scopeMemoryPeakBytes ?? 0, headCount, tailCount,
            outputCount,
        ]
        guard counts.allSatisfy({ (0...Self.numberMax).contains($0) }), outputCount >= headCount + tailCount,
            [startedUSec, endedUSec].allSatisfy({ (-Self.numberMax...Self.numberMax).contains($0) })
        else { return nil }
        outputDigest = record.number("digest")
        outputError = record.text("output-error")
        limitsError = record.text("limits-error")
        remarks = record.remarks
    }
}

extension SupervisorOutcome {
    /// No count and no time of an attempt is larger, by far: two of them can be added and subtracted.
    public static let numberMax: Int64 = 1 << 61

    private static func ending(_ record: Record) -> Ending? {
        if let status = record.number("exited") {
            return (0...255).contains(status) ? .exited(Int32(status)) : nil
        }
        if let signal = record.number("signal") {
            // Linux has 64 of them.
            return (1...64).contains(signal) ? .signaled(Int32(signal), coreDumped: record.isSet("core")) : nil
        }
        if let reason = record.text("failure") { return .couldNotStart(reason) }
        if let reason = record.text("shortage") { return .shortOfResources(reason) }
        return .lost(record.text("lost") ?? "somebody else took the exit status of its process")
    }
}

extension Record {
    /// What a process said of itself, by word: in the outcome, and while it runs in the file `remarks`.
    public var remarks: [String: String] {
        Dictionary(zip(texts("remark"), texts("value"))) { $1 }
    }

    public mutating func add(remarks: [String: String]) {
        for (word, value) in remarks {
            add("remark", word)
            add("value", value)
        }
    }
}
