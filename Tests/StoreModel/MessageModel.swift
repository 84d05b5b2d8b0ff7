public import Scheduling

/// The messages of a store in memory, as the real one keeps them.
public struct MessageModel {
    public private(set) var messages: [String: Message] = [:]
    /// Ids in the order in which they were first committed.
    private var order: [String] = []

    public init() {}

    public var waiting: [Message] { order.compactMap { messages[$0] }.filter { $0.state == .waiting } }

    public var all: [Message] { order.compactMap { messages[$0] } }

    /// - Returns: what no scheduler should have asked for.
    public mutating func record(_ message: Message) -> String? {
        guard let known = messages.updateValue(message, forKey: message.id) else {
            order.append(message.id)
            return nil
        }
        if known.state != .waiting, known != message { return "\(message.id) was settled, and changed" }
        let isSame =
            known.job == message.job && known.run == message.run && known.target == message.target
            && known.occasion == message.occasion && known.text == message.text
            && known.createdAt == message.createdAt
        return isSame ? nil : "\(message.id) became another message"
    }
}
