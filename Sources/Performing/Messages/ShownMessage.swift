internal import JSON
internal import Scheduling

/// What the notification server shows, as it is kept for the next daemon.
struct ShownMessage {
    /// The server's.
    let number: UInt32
    let job: String
    let run: String
    /// It asks a person, and is taken away when the question is over.
    let isAsking: Bool

    init(_ number: UInt32, _ message: Message) {
        self.number = number
        job = message.job
        run = message.run
        isAsking = message.occasion == .asked
    }

    /// - Returns: nil where it is none.
    init?(_ entry: JSONValue) {
        guard let number = entry["number"]?.intValue.flatMap({ UInt32(exactly: $0) }),
            let job = entry["job"]?.stringValue, let run = entry["run"]?.stringValue
        else { return nil }
        self.number = number
        self.job = job
        self.run = run
        isAsking = entry["asks"] == true
    }

    var json: JSONValue {
        ["number": .number(Int(number)), "job": .string(job), "run": .string(run), "asks": .bool(isAsking)]
    }
}
