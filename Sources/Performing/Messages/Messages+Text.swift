internal import JSON
internal import Processes
internal import Schedules
internal import Scheduling
internal import Store

extension Messages {
    /// What a program gets as `message`.
    func text(of message: Message) -> String {
        let zone = intake.zone(of: message.job)
        let value: JSONValue = [
            "id": .string(message.id), "job": .string(message.job), "run": .string(message.run),
            "on": .string(message.occasion.rawValue), "title": .string(message.title), "text": .string(message.text),
            "created_at": .string(message.createdAt.rfc3339(in: zone)),
        ]
        return value.compactText
    }

    // MARK: - A section of the memory file

    /// So many lines of output are shown, and so many bytes of them.
    private static let linesMax = 20
    private static let bytesMax = 8 << 10

    /// Of one message, always the same: by its text it is known again. The run is one that had ended when the message
    /// was decided, or is told of by the message's own words, whatever has become of it since.
    func section(of message: Message, _ zone: TimeZoneRules) -> String {
        let run = (message.run.isEmpty ? nil : try? store.run(id: message.run)).flatMap { $0 }
        let told = message.gatheredIn == nil && !message.job.isEmpty
        guard let run, told, let end = run.endedAt, tellsOfEnd(message, end), run.status.isExecuted else {
            let time = Self.time(message.createdAt, zone)
            return "## \(time) \(MarkdownText.line(message.title))\n\n\(MarkdownText.line(message.text))\n"
        }
        var lines = ["## \(Self.time(end, zone)) \(run.job): \(run.status.rawValue)", ""]
        lines.append("- \(MarkdownText.line(message.title)): \(MarkdownText.line(message.text))")
        if !run.skill.isEmpty { lines.append("- skill: \(MarkdownText.line(run.skill))") }
        if let job = intake.definition(of: run.job) {
            if !job.persona.isEmpty { lines.append("- persona: \(MarkdownText.line(job.persona))") }
            let inputs = run.inputs ?? job.inputs
            if inputs != "{}" { lines.append("- inputs: \(MarkdownText.code(inputs))") }
        }
        if let start = run.startedAt {
            lines.append("- took: \(Double((end - start).wholeMilliseconds) / 1000) s")
        }
        if run.cost > 0 { lines.append("- cost: \(run.cost)") }
        if let result = run.result { lines.append("- result: \(MarkdownText.code(result))") }
        lines.append("- run: \(run.id)")
        let output = lastLines(of: run)
        if !output.isEmpty { lines += ["", MarkdownText.fenced(output)] }
        return lines.joined(separator: "\n") + "\n"
    }

    private func tellsOfEnd(_ message: Message, _ end: Instant) -> Bool {
        switch message.occasion {
        case .paused, .recovered, .firstFailure, .failure, .changed, .success: true
        case .late, .stalled: end <= message.createdAt
        case .start, .retry, .asked, .misfired: false
        }
    }

    /// `09:00:00`
    private static func time(_ instant: Instant, _ zone: TimeZoneRules) -> Substring {
        instant.rfc3339(in: zone).dropFirst(11).prefix(8)
    }

    /// The end of what a run has written.
    func lastLines(of run: Run, _ count: Int = linesMax, bytesMax: Int = bytesMax) -> String {
        guard run.attempt > 0 else { return "" }
        let tail = attempts.outputExcerpt(of: run).bytes.suffix(bytesMax)
        let lines = tail.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let whole = lines.last?.isEmpty == true ? lines.dropLast() : lines[...]
        return String(
            decoding: Array(whole.suffix(count).joined(separator: [UInt8(ascii: "\n")])), as: UTF8.self)
    }
}

/// Foreign texts within a file of Markdown.
enum MarkdownText {
    /// On one line.
    static func line(_ text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 })
    }

    static func code(_ text: String) -> String {
        let fence = String(repeating: "`", count: longestRun(text) + 1)
        return "\(fence) \(line(text)) \(fence)"
    }

    /// The fence is longer than any in the text.
    static func fenced(_ text: String) -> String {
        let fence = String(repeating: "`", count: max(3, longestRun(text) + 1))
        return "\(fence)text\n\(text)\n\(fence)"
    }

    private static func longestRun(_ text: String) -> Int {
        var (longest, current) = (0, 0)
        for byte in text.utf8 {
            current = byte == UInt8(ascii: "`") ? current + 1 : 0
            longest = max(longest, current)
        }
        return longest
    }
}
