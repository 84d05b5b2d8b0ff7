public import Scheduling
public import Store

/// All that Control, Settings and Machine may do to the core.
///
/// What is submitted and asked in one turn of the loop is one transaction; nothing of it can be seen before that is
/// committed. While the store cannot be written, everything that arrives waits in order, up to the engine's patience.
public protocol Intake: AnyObject {
    /// Tells a fact. It is decided in its turn and never refused; while the store cannot be written it may be dropped,
    /// because whoever tells it can be asked for it again (`Situation`).
    func submit(_ event: Event)

    /// Asks for something. `then` is called exactly once, whatever happens: with the reply after its commit, or with
    /// why there is none; in the second case nothing of the request remains, but for `Settlement.unknown`.
    func ask(_ request: @escaping (Ticket) -> Event, then: @escaping (Settlement) -> Void)

    /// Calls back when nothing that was decided so far waits for its commit any more: before this returns where nothing
    /// does. What is then read is durable, or given up. For reads, and for those who told a fact.
    func whenDurable(_ handler: @escaping () -> Void)
}

/// What became of a request.
public enum Settlement: Sendable {
    /// The core's word, which may be a refusal. It is on disk.
    case reply(Reply)
    /// The store could not be written for too long.
    case storeFailed(StoreError)
    /// The daemon ends.
    case stopping
    /// The daemon ends, and whether the request is on record is for the next one to find out.
    case unknown
}
