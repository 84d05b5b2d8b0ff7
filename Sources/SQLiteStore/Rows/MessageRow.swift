import Scheduling
import Store

/// The table `message`.
enum MessageRow {
    static let columns = [
        "id", "job", "run", "occasion", "target", "title", "text", "created_at_us", "state", "fault", "sendings",
        "next_at_us", "gathered_in",
    ]

    static func bind(_ message: Message, to statement: Statement) {
        statement.bind(message.id)
        statement.bind(message.job)
        statement.bind(message.run)
        statement.bind(message.occasion.rawValue)
        statement.bind(message.target)
        statement.bind(message.title)
        statement.bind(message.text)
        statement.bind(message.createdAt)
        statement.bind(message.state.rawValue)
        statement.bind(message.fault)
        statement.bind(message.sendings)
        statement.bind(message.nextAt)
        statement.bind(message.gatheredIn)
    }

    static func read(_ statement: Statement) throws(StoreError) -> Message {
        let id = statement.text()
        let job = statement.text()
        let run = statement.text()
        let occasion = try statement.word(Message.Occasion.self, of: "the message \(id)")
        let target = statement.text()
        let title = statement.text()
        let text = statement.text()
        var message = Message(
            id: id, job: job, run: run, occasion: occasion, target: target, title: title, text: text,
            createdAt: statement.instant())
        message.state = try statement.word(Message.State.self, of: "the message \(id)")
        message.fault = statement.textIfAny()
        message.sendings = statement.count()
        message.nextAt = statement.instantIfAny()
        message.gatheredIn = statement.textIfAny()
        return message
    }
}
