public import Schedules
public import Scheduling

/// What the daemon remembers: job states, runs, attempts, definitions made over the bus.
///
/// The scheduler decides in `StoreChange`s; all those of one turn of the loop are one `commit`, which is there as a
/// whole or not at all, before anything that it says becomes visible. `load` gives a starting daemon what the last
/// one left. Everything else is a question about history.
///
///     let folder = try StateFolder(path: "/home/ann/.local/state/aa-workflow")
///     let store = try SQLiteStore(path: folder.path + "/botcron.db", in: folder)
///     let state = try store.load()
///     var turn = try store.lastTurn()
///     var run = Run(id: "cron-coffee-20260126-090000", job: "coffee", skill: "", trigger: .schedule,
///                   scheduledFor: nineOClock, createdAt: now, status: .running)
///     turn += 1
///     try store.commit([.run(run), .jobState(coffee)], untold: nil, turn: turn)   // only now may its process start
///     let page = try store.history(HistoryQuery(job: "coffee"))
///
/// Sharp edges:
/// - One thread. A store belongs to the thread that opened it; debug builds check.
/// - A commit that promises something waits for the disk (milliseconds): `SQLiteStore+Durability.swift` says which.
/// - Nothing waits for a lock. Another program that writes makes a commit fail with `busy` at once; whoever commits
///   keeps the transaction and tries again.
/// - A commit that failed left nothing behind, with one exception: where the disk fails in its very last sync, it may
///   come back after a crash. Whoever gives a failed turn up asks `settle` first.
/// - Texts are stored as given, up to `StoreBounds.textBytesMax`. Numbers are foreign when they come back:
///   `StoreBounds`.
public protocol Store: ExecutionRegister {
    /// What a starting daemon needs to go on where the last one ended. A row that no version could have written is left
    /// out, and named in `StoredState.unreadable`.
    func load() throws(StoreError) -> StoredState

    /// The number of the last turn that is on record; 0 before the first.
    func lastTurn() throws(StoreError) -> Int64

    /// Applies all changes, in order, as one transaction: all or nothing. None is no transaction.
    ///
    /// An attempt comes after its run, be it in the same commit or an earlier one; else the kind is `constraint`, as
    /// it is for a second run of a fire time (triggers schedule, catch-up and manual), a second use of an idempotency
    /// key, and an active run with an id that was used before.
    ///
    /// - Parameters:
    ///   - untold: what these changes give to tell, in words of the caller's, where there is something. It is kept with
    ///     them until `forgetUntold`: a daemon that was killed before it told leaves it to the next one.
    ///   - turn: the number of the transaction, greater than every one before it, and its own: what is decided anew
    ///     gets a new one. It is written with the changes. Where it is the last on record already, this does nothing
    ///     and is a success: so a commit that failed is tried again by the same call.
    func commit(_ changes: [StoreChange], untold: String?, turn: Int64) throws(StoreError)

    /// Whether a turn whose commit failed is on record. After the answer no that turn never comes back: not with a
    /// recovery of the log, not after a power cut; its number may then be given up, and whoever waits be refused.
    ///
    /// - Throws: what keeps it from being known, or from staying so. Until this has answered nobody may be told that
    ///   the
    ///   turn failed.
    func settle(turn: Int64) throws(StoreError) -> Bool

    /// Writes something of no meaning, synced, all the way that a commit goes: it succeeds only where commits would.
    /// What could not be looked up for a turn that was given up is forgotten.
    func probe() throws(StoreError)

    /// What the last commit gave to tell, if it was not forgotten.
    func untold() throws(StoreError) -> String?

    /// It is about to be told. This does not wait for the disk: after a power cut nobody is left who was told.
    func forgetUntold() throws(StoreError)

    /// Whether a run ever had this id, one that retention removed included.
    ///
    /// Never false for an id that was used; true for one that was not is possible, at odds of one in billions, and
    /// costs a suffix. Where the store cannot be read the answer is false, and the next commit fails with the reason:
    /// an id that could not be checked is never recorded.
    func isTaken(executionID: String) -> Bool

    /// A note that the last daemon left; nil where there is none.
    func note(_ note: StoreNote) throws(StoreError) -> String?

    /// Leaves a note for the next daemon, or takes it away. This does not wait for the disk. A text beyond
    /// `StoreNote.bytesMax` is refused, and the note stays as it was.
    func keep(_ text: String?, as note: StoreNote) throws(StoreError)

    func run(id: String) throws(StoreError) -> Run?

    /// The one run of a fire time, among the triggers schedule, catch-up and manual, as long as its record is kept.
    func runID(job: String, scheduledFor: Instant) throws(StoreError) -> String?

    /// The run that was asked for with this key, as long as its record is kept.
    func runID(idempotencyKey: String) throws(StoreError) -> String?

    /// In order of their numbers; empty where the run is not there.
    func attempts(ofRun id: String) throws(StoreError) -> [Attempt]

    /// In the order in which they were decided; empty where the run is not there.
    func messages(ofRun id: String) throws(StoreError) -> [Message]

    /// One page, newest first. A record that no version could have written is left out.
    func history(_ query: HistoryQuery) throws(StoreError) -> HistoryPage

    /// What was changed of a job, newest first; also of one that is gone, for as long as that is kept. Those of the
    /// empty name concern all schedules. A record that no version could have written is left out.
    func changes(ofJob job: String, limit: Int) throws(StoreError) -> [JobChange]

    /// True totals since the store was made, whatever retention removed; takes the same time at any size.
    func statistics() throws(StoreError) -> StoreStatistics

    /// Moves everything to the main file and syncs it: what a sleeping machine may lose power on.
    func checkpoint() throws(StoreError)

    /// Gives back the file. Every later call fails; a second close does nothing.
    func close()
}

/// What a daemon writes down for the next one beside what the core decides, in words of the daemon's.
public enum StoreNote: Sendable, CaseIterable {
    /// What `state.json` said when the daemon last wrote or read it.
    case stateFile
    /// The last section `schedules` that was good, as JSON text.
    case configuration
    /// That the history of an older program is being taken over; nil where it is not, or is done.
    case olderHistory
    /// What the notification server shows of ours, as JSON text.
    case desktop
    /// The targets that are off because there is nothing at their address, as JSON text.
    case goneTargets

    /// A longer text is no note.
    public static let bytesMax = 16 << 20
}

extension Store {
    /// As the turn after the last one: for those who commit once, and have nothing to try again.
    public func commit(_ changes: [StoreChange], untold: String? = nil) throws(StoreError) {
        guard !changes.isEmpty else { return }
        try commit(changes, untold: untold, turn: try lastTurn() + 1)
    }
}
