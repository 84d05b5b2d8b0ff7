internal import Configuration
internal import EventLoop
internal import JSON
internal import Performing
internal import Schedules
internal import Scheduling
internal import Store

/// Hands the history of an older program (`cron_history.json`: `{"executions": [ENTRY…]}`, oldest first) to the core,
/// where this store has not recorded anything yet.
///
/// It begins when the daemon has started and goes on in bounded steps, so that neither the start nor a client waits for
/// it. A note in the store says that it has begun: a daemon that is killed meanwhile leaves the rest to the next one,
/// which finds what is there by its ids.
final class HistoryTakeOver {
    /// Entries that are taken over, the newest ones; the rest is left in the file.
    static let runsMax = 10_000
    /// Bytes that one step scans for entries.
    static let scannedBytesMax = 1 << 20
    /// Entries, and bytes of them, that one step reads.
    static let entriesMax = 200
    static let entryBytesMax = 256 << 10
    /// A longer entry is none.
    static let oneEntryBytesMax = 64 << 10
    /// Runs of one commit.
    static let batchMax = 250
    /// Runs of the first commit, and time that the start takes for it: a history of ordinary size is there for the
    /// first who asks.
    static let firstBatchMax = 2_000
    static let startUSec: UInt64 = 250_000
    /// After a batch that did not come to be on record.
    static let retryUSec: UInt64 = 1_000_000

    private enum Phase {
        case scanning(EntryScanner)
        case reading([UInt8], [Range<Int>], next: Int, OlderHistory)
        case handingOver([Run], next: Int, refused: Int)
        case done
    }

    private let path: String
    private let zone: TimeZoneRules
    private let now: Instant
    private let store: any Store
    private let log: Log
    private var phase = Phase.done
    private var step: DeferredSource?
    private var retryTimer: TimerSource?
    private weak var intake: (any Intake)?

    /// - Returns: nil where there is nothing to take over.
    init?(path: String, zone: TimeZoneRules, now: Instant, store: any Store, log: Log) {
        self.path = path
        self.zone = zone
        self.now = now
        self.store = store
        self.log = log
        do {
            let hasBegun = try store.note(.olderHistory) != nil
            guard try hasBegun || store.statistics().recorded == 0,
                case .bytes(let bytes) = try ConfigurationFile.load(path: path)
            else { return nil }
            if !hasBegun { try store.keep("begun", as: .olderHistory) }
            phase = .scanning(EntryScanner(bytes, entriesMax: Self.runsMax))
        } catch {
            log.warning("cron_history.json was not taken over", [("BOTCRON_ERROR", "\(error)")])
            return nil
        }
    }

    func begin(intake: any Intake, loop: EventLoop) throws(EventLoopError) {
        self.intake = intake
        step = try loop.deferred(priority: .idle) { [weak self] in self?.advance() }
        retryTimer = try loop.timer(.monotonic, accuracyUSec: 100_000) { [weak self] in self?.advance() }
        waitUSec = { [weak loop] in (loop?.now(.monotonic) ?? 0) + Self.retryUSec }
        let end = EventLoop.Clock.monotonic.nowUSec + Self.startUSec
        while EventLoop.Clock.monotonic.nowUSec < end {
            switch phase {
            case .scanning, .reading: advance()
            case .handingOver(let runs, let next, let refused):
                return handOver(runs, from: next, refused: refused, atMost: Self.firstBatchMax)
            case .done: return
            }
        }
        step?.schedule()
    }

    private var waitUSec: () -> UInt64 = { 0 }

    private func advance() {
        switch phase {
        case .scanning(var scanner):
            phase = .done
            if scanner.advance(by: Self.scannedBytesMax) {
                guard scanner.isWhole else { return refuse() }
                let history = OlderHistory(zone: zone, now: now)
                phase = .reading(scanner.bytes, scanner.entries, next: 0, history)
            } else {
                phase = .scanning(scanner)
            }
            step?.schedule()
        case .reading(let bytes, let entries, let next, var history):
            phase = .done
            let end = read(bytes, entries, from: next, into: &history)
            if end < entries.count {
                phase = .reading(bytes, entries, next: end, history)
            } else {
                let runs = history.runs.sorted { $0.createdAt < $1.createdAt }
                phase = .handingOver(runs, next: 0, refused: history.refusedCount)
            }
            step?.schedule()
        case .handingOver(let runs, let next, let refused):
            handOver(runs, from: next, refused: refused)
        case .done: break
        }
    }

    /// - Returns: the first entry that was not read.
    private func read(
        _ bytes: [UInt8], _ entries: [Range<Int>], from start: Int, into history: inout OlderHistory
    ) -> Int {
        var left = Self.entryBytesMax
        for (index, range) in entries.enumerated().dropFirst(start).prefix(Self.entriesMax) {
            guard left > 0 else { return index }
            left -= range.count
            if range.count <= Self.oneEntryBytesMax, let entry = try? JSONValue(parsing: Array(bytes[range])) {
                history.add(entry)
            } else {
                history.refuse()
            }
        }
        return min(start + Self.entriesMax, entries.count)
    }

    private func handOver(_ runs: [Run], from start: Int, refused: Int, atMost batchMax: Int = batchMax) {
        guard let intake else { return }
        guard start < runs.count else { return finish(runs.count, refused: refused) }
        let end = min(start + batchMax, runs.count)
        let batch = runs[start..<end].filter { !store.isTaken(executionID: $0.id) }
        phase = .handingOver(runs, next: batch.isEmpty ? end : start, refused: refused)
        guard let last = batch.last?.id else {
            step?.schedule()
            return
        }
        intake.submit(.historyTakenOver(batch))
        intake.whenDurable { [weak self] in
            guard let self else { return }
            // The store may have failed: the same batch once more then, when it had time to recover.
            if store.isTaken(executionID: last) {
                phase = .handingOver(runs, next: end, refused: refused)
                step?.schedule()
            } else {
                retryTimer?.arm(atUSec: waitUSec())
            }
        }
    }

    /// Half a file may be one that is being written: nothing of it is taken.
    private func refuse() {
        log.warning(
            "cron_history.json was not taken over", [("BOTCRON_FILE", path), ("BOTCRON_ERROR", "it ends too early")])
        forgetNote()
    }

    private func forgetNote() {
        do {
            try store.keep(nil, as: .olderHistory)
        } catch {
            log.debug("the next daemon looks at cron_history.json once more", [("BOTCRON_ERROR", "\(error)")])
        }
    }

    private func finish(_ count: Int, refused: Int) {
        phase = .done
        forgetNote()
        log.info(
            "took over the history of an older program",
            [("BOTCRON_FILE", path), ("BOTCRON_RUNS", "\(count)"), ("BOTCRON_REFUSED", "\(refused)")])
    }
}

/// Finds the elements of the array `executions` in the object of a text, a bounded number of bytes at a time, without
/// reading what is in them. Text that is no JSON gives elements that are none.
struct EntryScanner {
    let bytes: [UInt8]

    private let entriesMax: Int
    /// The newest `entriesMax` elements, as a ring once there are more.
    private var ring: [Range<Int>] = []
    private var count = 0
    private var at = 0
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    private var stringStart = 0
    /// The last string right inside of the object: a key, once a colon follows.
    private var key = 0..<0
    private var isInEntries = false
    private var entryStart: Int?

    init(_ bytes: [UInt8], entriesMax: Int) {
        self.bytes = bytes
        self.entriesMax = entriesMax
    }

    /// Oldest first.
    var entries: [Range<Int>] {
        let first = count % max(1, ring.count)
        return ring.count < entriesMax ? ring : Array(ring[first...] + ring[..<first])
    }

    /// Whether everything that began has ended.
    var isWhole: Bool { depth == 0 && !isInString }

    /// - Returns: whether the end is reached.
    mutating func advance(by limit: Int) -> Bool {
        let end = min(bytes.count, at + limit)
        while at < end {
            look(at: bytes[at])
            at += 1
        }
        return at == bytes.count
    }

    private mutating func look(at byte: UInt8) {
        if isInString {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isInString = false
                if depth == 1 { key = (stringStart + 1)..<at }
            }
            return
        }
        switch byte {
        case UInt8(ascii: "\""):
            begin()
            isInString = true
            stringStart = at
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            begin()
            depth += 1
            if depth == 2, byte == UInt8(ascii: "["), bytes[key].elementsEqual("executions".utf8) { isInEntries = true }
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            if depth == 2 {
                endEntry()
                isInEntries = false
            }
            depth = max(0, depth - 1)
        case UInt8(ascii: ","):
            if depth == 2 { endEntry() }
        case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\t"), UInt8(ascii: "\r"): break
        default: begin()
        }
    }

    private mutating func begin() {
        if isInEntries, depth == 2, entryStart == nil { entryStart = at }
    }

    private mutating func endEntry() {
        guard let start = entryStart else { return }
        entryStart = nil
        if ring.count < entriesMax { ring.append(start..<at) } else { ring[count % entriesMax] = start..<at }
        count += 1
    }
}
