import JSON
import Schedules
import Scheduling

/// Whom a job tells, of what, and when not.
extension ConfigurationReader {
    private static let ruleVocabulary = Vocabulary(["target", "on"])

    /// `notify` as clients see it, and as the core takes it.
    struct Notify {
        var text = "[]"
        var rules: [MessageRule] = []
    }

    /// An array of names of targets, and of objects `{"target", "on": […]}`. Several of a target are one.
    func readNotify(_ field: Field, _ targets: MessageTargets) throws(FieldError) -> Notify {
        var entries: [JSONValue] = []
        var rules: [MessageRule] = []
        let isOne = field.value.objectValue != nil
        for element in isOne ? [field] : try field.elements(of: "targets, or objects {\"target\", \"on\"}") {
            let (entry, rule) = try readRule(element, targets)
            entries.append(entry)
            if let known = rules.firstIndex(where: { $0.target == rule.target }) {
                rules[known].on.formUnion(rule.on)
            } else {
                rules.append(rule)
            }
        }
        if targets.isToastForAll, !rules.isEmpty { rules.addToast() }
        return Notify(text: JSONValue.array(entries).compactText, rules: rules)
    }

    private func readRule(
        _ field: Field, _ targets: MessageTargets
    ) throws(FieldError) -> (entry: JSONValue, rule: MessageRule) {
        if field.value.objectValue == nil {
            let name = try targetName(field, targets)
            return (.string(name), MessageRule(target: name, on: Self.standardOccasions(name, targets)))
        }
        let fields = try Fields(field, Self.ruleVocabulary)
        guard let target = fields["target"] else {
            throw FieldError(path: fields.path(of: "target"), "missing; it says where the message goes")
        }
        let name = try targetName(target, targets)
        var entry: JSONObject = ["target": .string(name)]
        guard let on = fields["on"] else {
            return (.object(entry), MessageRule(target: name, on: Self.standardOccasions(name, targets)))
        }
        var occasions: [Message.Occasion] = []
        let isOne = on.value.stringValue != nil
        for element in isOne ? [on] : try on.elements(of: "occasions") {
            occasions.append(try element.word(Message.Occasion.self))
        }
        entry["on"] = .array(occasions.map { .string($0.rawValue) })
        return (.object(entry), MessageRule(target: name, on: Message.Occasions(occasions)))
    }

    private func targetName(_ field: Field, _ targets: MessageTargets) throws(FieldError) -> String {
        let expected = "one of \(targets.names.joined(separator: ", "))"
        guard let name = field.value.stringValue, targets.usable[name] != nil || targets.faults[name] != nil else {
            throw field.refusal(expected: expected)
        }
        return name
    }

    /// What is read later is told of every success, what interrupts somebody is not.
    private static func standardOccasions(_ target: String, _ targets: MessageTargets) -> Message.Occasions {
        targets.toldOfSuccesses.contains(target) ? .standard.union(Message.Occasions([.success])) : .standard
    }

    /// `22:00-07:00`.
    func readQuietHours(_ field: Field) throws(FieldError) -> QuietHours {
        let expected = "two times of day, such as \"22:00-07:00\""
        let parts = try field.string(expected: expected).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let from = Self.minute(parts[0]), let until = Self.minute(parts[1]), from != until
        else { throw field.refusal(expected: expected) }
        return QuietHours(from: from, until: until)
    }

    /// A time of day by which a success is expected.
    func readDeadline(_ field: Field, _ zone: TimeZoneRules) throws(FieldError) -> DailyDeadline {
        let expected = "a time of day, such as \"08:00\""
        let text = try field.string(expected: expected)
        guard let minute = Self.minute(text[...]) else { throw field.refusal(expected: expected) }
        do {
            return try DailyDeadline(minute: minute, zone: zone)
        } catch {
            throw FieldError(error, at: field.path)
        }
    }

    private static func minute(_ text: Substring) -> Int? {
        let digits = Array(text.utf8)
        guard digits.count == 5, digits[2] == UInt8(ascii: ":"),
            [0, 1, 3, 4].allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digits[$0]) })
        else { return nil }
        func number(_ place: Int) -> Int { Int(digits[place] - 48) * 10 + Int(digits[place + 1] - 48) }
        return number(0) < 24 && number(3) < 60 ? number(0) * 60 + number(3) : nil
    }
}

extension [MessageRule] {
    /// `schedules.notifications.toast`: whoever tells of anything tells it to that file, too.
    mutating func addToast() {
        guard !contains(where: { $0.target == "toast" }) else { return }
        append(MessageRule(target: "toast", on: .standard))
    }
}

extension Configuration {
    /// Jobs that tell targets which cannot be told: nobody hears of their runs there. They run all the same.
    /// The section's own are those of no job.
    public var messageFaults: [(job: String?, error: String)] {
        func faults(_ rules: [MessageRule], of job: String?) -> [(job: String?, error: String)] {
            rules.compactMap { rule in
                targets.faults[rule.target].map { (job, "notify: \"\(rule.target)\" cannot be told: \($0)") }
            }
        }
        return faults(settings.messages, of: nil) + jobs.flatMap { faults($0.messages ?? [], of: $0.name) }
    }
}
