internal import JSON
internal import Scheduling

/// A message in the words of a chat: text for all, and blocks where somebody has to look.
enum SlackText {
    /// Of the texts of a block; a longer one is refused.
    private static let titleMax = 150
    private static let textMax = 2_900

    /// - Parameter output: the last lines of the run.
    static func body(of message: Message, output: String) -> JSONValue {
        let text = escaped("\(message.title): \(message.text)", limit: textMax)
        var body: JSONObject = ["text": .string(text)]
        guard [.failure, .firstFailure, .paused].contains(message.occasion) else { return .object(body) }
        let title = String(message.title.prefix(titleMax))
        var blocks: [JSONValue] = [
            ["type": "header", "text": ["type": "plain_text", "text": .string(title), "emoji": false]],
            section(escaped(message.text, limit: textMax)),
        ]
        if !output.isEmpty {
            // The end of it says more than its beginning; a fence within would end the block.
            let end = String(output.suffix(textMax / 2).map { $0 == "`" ? "'" : $0 })
            blocks.append(section("```\n\(escaped(end, limit: textMax))\n```"))
        }
        if !message.run.isEmpty {
            let run: JSONValue = ["type": "mrkdwn", "text": .string(escaped("run \(message.run)", limit: textMax))]
            blocks.append(["type": "context", "elements": [run]])
        }
        body["blocks"] = .array(blocks)
        return .object(body)
    }

    private static func section(_ text: String) -> JSONValue {
        ["type": "section", "text": ["type": "mrkdwn", "text": .string(text.isEmpty ? " " : text)]]
    }

    /// Nothing in a foreign text is a link or calls anybody; and with what that makes of it, it is no longer than that.
    private static func escaped(_ text: String, limit: Int) -> String {
        var escaped = ""
        var count = 0
        for character in text.unicodeScalars {
            let piece =
                switch character {
                case "&": "&amp;"
                case "<": "&lt;"
                case ">": "&gt;"
                default: String(character)
                }
            count += piece.unicodeScalars.count
            guard count < limit else { return escaped + "…" }
            escaped += piece
        }
        return escaped
    }
}
