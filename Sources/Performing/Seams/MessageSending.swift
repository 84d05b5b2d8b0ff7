public import Scheduling

/// Who gives messages to their targets. What becomes of each comes back as `Event.messageSent`.
public protocol MessageSending: AnyObject {
    /// After the commit that has them on record. One that is on its way already may be among them.
    func send(_ messages: [Message])
}
