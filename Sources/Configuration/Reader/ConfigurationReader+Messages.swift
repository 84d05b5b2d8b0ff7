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
        let hasSuccesses = target == "slack" || targets.logs.contains(target)
        return hasSuccesses ? .standard.union(Message.Occasions([.success])) : .standard
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

    // MARK: - Targets

    private static let ownTargetVocabulary = Vocabulary([
        "type", "directory", "argv", "webhook", "webhook_file", "url", "secret_file", "to", "from", "sendmail", "smtp",
    ])

    /// The object `schedules.notifications`. A target that is wrong is the trouble of those who name it: it is noted,
    /// and the section stands.
    func readTargets(_ field: Field, into configuration: inout Configuration) throws(FieldError) {
        for entry in try field.members("an object: the settings of each target") where !entry.value.isNull {
            if entry.key == "targets" {
                for own in try entry.members("an object: name → the settings of a target") where !own.value.isNull {
                    note(own, named: own.key, in: &configuration) { () throws(FieldError) in try readOwnTarget(own) }
                }
                continue
            }
            guard let kind = MessageTarget.Kind(rawValue: entry.key) else {
                guard !entry.key.hasPrefix("x-") else { continue }
                let words = MessageTarget.Kind.allCases.map(\.rawValue) + ["targets"]
                configuration.warnings.append(
                    "\(entry.path.pathText): no target is called so; there are \(words.joined(separator: ", "))")
                continue
            }
            if kind == .toast, let isForAll = entry.value.boolValue {
                configuration.targets.isToastForAll = isForAll
                continue
            }
            note(entry, named: kind.rawValue, in: &configuration) { () throws(FieldError) in
                try readTarget(entry, kind, at: entry)
            }
        }
    }

    private func note(
        _ entry: Field, named name: String, in configuration: inout Configuration,
        reading: () throws(FieldError) -> MessageTarget
    ) {
        do {
            configuration.targets.usable[name] = try reading()
            configuration.targets.faults[name] = nil
        } catch {
            configuration.targets.usable[name] = nil
            configuration.targets.faults[name] = error.message
            configuration.warnings.append(error.message)
        }
    }

    private func readOwnTarget(_ field: Field) throws(FieldError) -> MessageTarget {
        if MessageTarget.Kind(rawValue: field.key) != nil {
            throw field.refusal("\"\(field.key)\" is the name of a target that is built in; take another")
        }
        let fields = try Fields(field, Self.ownTargetVocabulary)
        guard let type = fields["type"] else {
            throw FieldError(path: fields.path(of: "type"), "missing; it says what the target is: memory, command")
        }
        let kind = try type.word(MessageTarget.Kind.self)
        guard kind != .desktop, kind != .toast else {
            throw type.refusal("there is one \(kind.rawValue), and it is built in")
        }
        return try readTarget(field, kind, at: type)
    }

    private func readTarget(_ field: Field, _ kind: MessageTarget.Kind, at place: Field) throws(FieldError)
        -> MessageTarget
    {
        if let why = MessageTarget.unbuilt(kind) { throw place.refusal(why) }
        let fields = try Fields(field, Self.ownTargetVocabulary)
        switch kind {
        case .memory:
            guard let directory = fields["directory"] else {
                throw FieldError(path: fields.path(of: "directory"), "missing; it is the folder of the files")
            }
            return .memory(directory: try directory.path(home: home))
        case .command:
            guard let argv = fields["argv"] else {
                throw FieldError(path: fields.path(of: "argv"), "missing; it is the program and its arguments")
            }
            return .command(try argv.argv())
        case .toast: return .toast
        case .desktop, .slack, .webhook, .email: return .desktop
        }
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
