public import Scheduling

/// Who gives messages to their targets. What becomes of each comes back as `Event.messageSent`.
public protocol MessageSending: AnyObject {
    /// After the commit that has it on record. It may be on its way already.
    func send(_ message: Message)

    /// What asks a person for this run is taken away where it is shown, and not sent where that has not begun.
    func withdraw(run: String)
}
