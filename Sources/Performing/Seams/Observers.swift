public import Scheduling

/// Who must know that something became durable: called once for each commit, after the timer is armed and before
/// anything is told.
public protocol CommitObserver: AnyObject {
    func committed(_ changes: [StoreChange])
}

/// Who tells what is now on record: signals, the journal, those who wait for a run.
public protocol AnnouncementSink: AnyObject {
    /// Tells them, in order.
    ///
    /// - Parameter aboutToSend: to be called when all is ready to be sent, right before it is: the store then forgets
    ///   that this is still to be told. Not called where nobody can be told: then the next daemon does it.
    func tell(_ announcements: [Announcement], aboutToSend: () -> Void)
    /// The turn is over: what changed without a record of it may be told.
    func turnEnded()
}
