public import Scheduling
public import Store

extension SQLiteStore {
    public func messages(ofRun id: String) throws(StoreError) -> [Message] {
        let operation = "read the messages of the run \(id)"
        let statement = try opened(operation).messagesOfRun
        statement.bind(id)
        defer { statement.reset() }
        var messages: [Message] = []
        while try statement.step(operation) {
            // One that no version writes is left out, as runs are.
            if let message = try? MessageRow.read(statement) { messages.append(message) }
        }
        return messages
    }

    func record(_ message: Message, _ statements: Statements) throws(StoreError) {
        let operation = "record the message \(message.id)"
        // It goes with its run; one whose run went first goes when it is settled.
        if message.state != .waiting, try summary(ofRun: message.run, statements) == nil {
            statements.removeMessage.bind(message.id)
            return try statements.removeMessage.run(operation)
        }
        MessageRow.bind(message, to: statements.setMessage)
        try statements.setMessage.run(operation)
    }
}
