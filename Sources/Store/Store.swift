public import Schedules
public import Scheduling

/// What the daemon remembers: job states, runs, attempts, definitions made over the bus.
///
/// The scheduler decides in `StoreChange`s; all those of one turn of the loop are one `commit`, which is there as a
/// whole or not at all, before anything that it says becomes visible. `load` gives a starting daemon what the last
/// one left. Everything else is a question about history.
///
///     let folder = try StateFolder(path: "/home/ann/.local/state/aa-workflow")
///     let store = try SQLiteStore(path: folder.path + "/botcron.db")
///     let state = try store.load()
///     var run = Run(id: "cron-coffee-20260126-090000", job: "coffee", skill: "", trigger: .schedule,
///                   scheduledFor: nineOClock, createdAt: now, status: .running)
///     try store.commit([.run(run), .jobState(coffee)])        // only now may its process start
///     run.status = .success
///     try store.commit([.run(run), .prune(job: "coffee", keep: 100)])
///     let page = try store.history(HistoryQuery(job: "coffee"))
///
/// Sharp edges:
/// - One thread. A store belongs to the thread that opened it; debug builds check.
/// - A commit that promises something waits for the disk (milliseconds): `SQLiteStore+Durability.swift` says which.
/// - A commit that failed left nothing behind, with one exception: where the disk fails in the very last sync, the
///   transaction may come back after a crash. Changes are idempotent, so committing it again is always right.
/// - Texts of any length are stored as given (SQLite's bound is 10⁹ bytes a row; beyond it the commit fails).
/// - Durations are kept to the microsecond, and clamped to ±292,000 years.
public protocol Store: ExecutionRegister {
    /// What a starting daemon needs to go on where the last one ended.
    func load() throws(StoreError) -> StoredState

    /// Applies all changes, in order, as one transaction: all or nothing. None is no transaction.
    ///
    /// An attempt comes after its run, be it in the same commit or an earlier one; else the kind is `constraint`, as
    /// it is for a second run of a fire time (triggers schedule, catch-up and manual), a second use of an idempotency
    /// key, and an active run with an id that was used before.
    ///
    /// - Parameter untold: what these changes give to tell, in words of the caller's, where there is something. It is
    ///   kept with them until `forgetUntold`: a daemon that was killed before it told leaves it to the next one.
    func commit(_ changes: [StoreChange], untold: String?) throws(StoreError)

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

    /// Leaves a note for the next daemon, or takes it away. This does not wait for the disk.
    func keep(_ text: String?, as note: StoreNote) throws(StoreError)

    func run(id: String) throws(StoreError) -> Run?

    /// The one run of a fire time, among the triggers schedule, catch-up and manual.
    func runID(job: String, scheduledFor: Instant) throws(StoreError) -> String?

    /// The run that was asked for with this key, as long as it is kept.
    func runID(idempotencyKey: String) throws(StoreError) -> String?

    /// In order of their numbers; empty where the run is not there.
    func attempts(ofRun id: String) throws(StoreError) -> [Attempt]

    /// One page, newest first.
    func history(_ query: HistoryQuery) throws(StoreError) -> HistoryPage

    /// True totals since the store was made, whatever retention removed; takes the same time at any size.
    func statistics() throws(StoreError) -> StoreStatistics

    /// Whether `StoreChange.pruneEnded(before:limit:)` would find something: the loop condition of its steps.
    func hasRunsEnded(before instant: Instant) throws(StoreError) -> Bool

    /// Nobody has any item any more: those who took them were clients of another daemon. Does not wait for the disk.
    func returnQueueItems() throws(StoreError)

    /// Moves everything to the main file and syncs it: what a sleeping machine may lose power on.
    func checkpoint() throws(StoreError)

    /// Gives back the file. Every later call fails; a second close does nothing.
    func close()
}

/// What a daemon writes down for the next one beside what the core decides, in words of the daemon's.
public enum StoreNote: Sendable {
    /// What `state.json` said when the daemon last wrote or read it.
    case stateFile
}

extension Store {
    public func commit(_ changes: [StoreChange]) throws(StoreError) { try commit(changes, untold: nil) }
}
