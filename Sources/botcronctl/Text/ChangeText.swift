import JSON

/// A change to a job, for people: `disabled 2 h ago by python3 (/usr/bin/python3.11): quota used up`.
struct ChangeText {
    let context: Context

    init(_ context: Context) { self.context = context }

    /// What is longer than the screen goes on below, indented.
    func print(_ change: JSONValue) {
        let text = printable(text(of: change))
        guard let width = context.screen.width, cellWidth(text) > width else { return context.screen.line("\(text)") }
        var lines = wrapped(text, cells: max(1, width - Self.indent.utf8.count))
        context.screen.line("\(lines.removeFirst())")
        for line in lines { context.screen.line("\(Self.indent)\(line)") }
    }

    private static let indent = "    "

    private func text(of change: JSONValue) -> String {
        var text = change.text("what")
        if let at = change.instant("at") { text += " " + context.times.relative(at) }
        text += " by " + change.text("by")
        if let until = change.instant("until") {
            // Of a skip it is the fire time that is left out.
            let word = change.text("what") == "skipped" ? "the fire time" : "until"
            text += ", \(word) \(context.times.absolute(until))"
        }
        if let reason = change["reason"]?.stringValue { text += ": " + reason }
        return text
    }
}
