import JSON
import Scheduling

/// The schedules of a definition as text, whichever spelling they came in; not yet parsed.
struct SchedulePlan {
    enum EntryType: String, CaseIterable { case cron, interval, once, calendar }

    /// How many units an interval has, where that is a key of its own.
    struct Count {
        let value: Int
        let field: Field
    }

    struct Entry {
        let type: EntryType
        /// The expression; with `count` the unit of an interval.
        let text: String
        var count: Count?
        /// Where it stands.
        let field: Field
    }

    var entries: [Entry] = []
    var after: Job.Chain?
    var poll: Job.Poll?
    var triggerQueue: (name: String, batch: Int)?
    /// What an older spelling says about the start of an interval.
    var startAt: Field?

    /// The keys that were given, to say which ones are too many.
    fileprivate var given: [Field] = []
}

extension ConfigurationReader {
    static let scheduleKeys = [
        "cron", "interval", "once", "calendar", "poll", "after", "trigger", "schedules", "schedule_type", "schedule",
        "value", "recurring", "interval_type", "interval_value", "schedule_time", "poll_interval", "condition",
    ]

    private static let elementVocabulary = Vocabulary(
        ["cron", "interval", "once", "calendar", "poll", "after", "trigger", "type", "value"],
        older: ["cron": ["cron_expr"], "calendar": ["on_calendar"]])

    func readPlan(_ fields: Fields) throws(FieldError) -> SchedulePlan {
        var plan = SchedulePlan()
        try readKinds(fields, into: &plan)
        try readTyped(fields, into: &plan)
        try readRecurring(fields, into: &plan)
        try checkSingle(plan.given)
        if let field = fields.given(["poll_interval", "condition"]).first, fields["trigger"]?.value.stringValue == nil {
            throw field.refusal("needs \"trigger\": \"poll\" beside it; or stand in an object \"poll\"")
        }
        guard let list = fields["schedules"] else { return plan }
        if let other = plan.given.first {
            throw other.refusal("stands beside \"schedules\"; give it as an element of that array")
        }
        let elements = try list.elements(of: "schedules, such as {\"cron\": \"0 9 * * *\"}")
        guard elements.count <= Bounds.schedulesMax else {
            throw list.refusal("found \(elements.count) schedules; expected at most \(Bounds.schedulesMax)")
        }
        for element in elements { try readElement(element, into: &plan) }
        return plan
    }

    private func checkSingle(_ given: [Field]) throws(FieldError) {
        guard given.count > 1 else { return }
        let keys = given.map(\.key).joined(separator: ", ")
        throw FieldError(
            path: given[1].path, isAboutKey: true,
            "\(keys) are given; a job has one of them, or an array of several under \"schedules\"")
    }

    // MARK: - One key a kind

    /// The keys that are a schedule by themselves.
    private func readKinds(_ fields: Fields, into plan: inout SchedulePlan) throws(FieldError) {
        for type in SchedulePlan.EntryType.allCases {
            guard let field = fields[type.rawValue] else { continue }
            plan.entries.append(.init(type: type, text: try field.string(expected: type.expected), field: field))
            plan.given.append(field)
        }
        if let field = fields["poll"] {
            plan.poll = try readPoll(field)
            plan.given.append(field)
        }
        if let field = fields["after"] {
            plan.after = try readAfter(field)
            plan.given.append(field)
        }
        if let field = fields["trigger"] {
            if field.value.stringValue == nil {
                plan.triggerQueue = try readQueue(field)
                plan.given.append(field)
            } else {
                try readOlderTrigger(field, fields, into: &plan)
            }
        }
    }

    /// An element of `schedules`.
    private func readElement(_ element: Field, into plan: inout SchedulePlan) throws(FieldError) {
        let fields = try Fields(element, Self.elementVocabulary)
        var own = SchedulePlan()
        try readKinds(fields, into: &own)
        if let type = fields["type"] {
            own.entries.append(try entry(type, fields["value"], element))
            own.given.append(type)
        }
        try checkSingle(own.given)
        guard !own.given.isEmpty else {
            throw element.refusal("no schedule; expected one of cron, interval, once, calendar, poll, after, trigger")
        }
        if (own.after != nil && plan.after != nil) || (own.poll != nil && plan.poll != nil)
            || (own.triggerQueue != nil && plan.triggerQueue != nil)
        {
            throw element.refusal("a second \(own.given[0].key); a job has at most one, beside any number of times")
        }
        plan.entries += own.entries
        plan.after = own.after ?? plan.after
        plan.poll = own.poll ?? plan.poll
        plan.triggerQueue = own.triggerQueue ?? plan.triggerQueue
    }

    // MARK: - Type and value

    private static let typedVocabulary = Vocabulary(["type", "value"])

    /// `schedule_type` with `schedule` or `value`, or `schedule` as an object of type and value.
    private func readTyped(_ fields: Fields, into plan: inout SchedulePlan) throws(FieldError) {
        if let schedule = fields["schedule"], schedule.value.objectValue != nil {
            let inner = try Fields(schedule, Self.typedVocabulary)
            guard let type = inner["type"] else {
                throw FieldError(path: inner.path(of: "type"), "missing; expected one of \(SchedulePlan.types)")
            }
            try add(entry(type, inner["value"], schedule), field: schedule, to: &plan)
            if let other = fields["schedule_type"] { try checkType(other, plan) }
            return
        }
        let values = fields.given(["schedule", "value"])
        if values.count > 1, values[0].value != values[1].value {
            throw values[1].refusal("says what schedule says, in another way; give one of them")
        }
        if let type = fields["schedule_type"] {
            if let value = values.first {
                try add(entry(type, value, type), field: value, to: &plan)
            } else {
                try checkType(type, plan)
            }
        } else if let value = values.first {
            throw value.refusal("needs \"schedule_type\" beside it: one of \(SchedulePlan.types)")
        }
    }

    private func entry(_ type: Field, _ value: Field?, _ whole: Field) throws(FieldError) -> SchedulePlan.Entry {
        let word = try type.word(SchedulePlan.EntryType.self)
        guard let value else { throw whole.refusal("no value; expected \(word.expected)") }
        return .init(type: word, text: try value.string(expected: word.expected), field: value)
    }

    /// Adds what is not there already: the interface itself shows a schedule in two spellings at once.
    private func add(
        _ entry: SchedulePlan.Entry, field: Field, to plan: inout SchedulePlan
    ) throws(FieldError) {
        if plan.entries.contains(where: { $0.type == entry.type && $0.text == entry.text }) { return }
        plan.entries.append(entry)
        plan.given.append(field)
    }

    /// A type without a value goes with a schedule of that type that is given by its own key.
    private func checkType(_ field: Field, _ plan: SchedulePlan) throws(FieldError) {
        let word = try field.word(SchedulePlan.EntryType.self)
        guard plan.entries.contains(where: { $0.type == word }) else {
            throw field.refusal("needs \"schedule\" beside it: \(word.expected)")
        }
    }

    // MARK: - Recurring

    /// `recurring` with `interval_type`, `interval_value` and `schedule_time`.
    private func readRecurring(_ fields: Fields, into plan: inout SchedulePlan) throws(FieldError) {
        let time = fields["schedule_time"]
        let type = fields["interval_type"]
        let value = fields["interval_value"]
        let isRecurring = try fields["recurring"]?.bool() ?? (type != nil || value != nil)
        if isRecurring {
            guard let type, let value else {
                // A cron job recurs by itself; the flag then says nothing new.
                if plan.entries.contains(where: { $0.type != .once }), type == nil, value == nil, time == nil { return }
                let missing = type == nil ? "interval_type" : "interval_value"
                let place = fields["recurring"] ?? type ?? value
                throw FieldError(
                    path: place?.path ?? fields.path, "needs \"\(missing)\" beside it, as in \"days\" and 2")
            }
            let count = SchedulePlan.Count(value: try value.integer(Int.min...Int.max), field: value)
            plan.entries.append(.init(type: .interval, text: try type.string(), count: count, field: type))
            plan.given.append(type)
            plan.startAt = time
        } else if let time {
            let text = try time.string(expected: SchedulePlan.EntryType.once.expected)
            plan.entries.append(.init(type: .once, text: text, field: time))
            plan.given.append(time)
        }
    }

    // MARK: - Poll, after, queue

    private static let pollVocabulary = Vocabulary(["interval", "condition", "dedupe"])
    private static let queueVocabulary = Vocabulary(["queue", "batch"])

    private func readPoll(_ field: Field) throws(FieldError) -> Job.Poll {
        let fields = try Fields(field, Self.pollVocabulary, expected: "an object with \"interval\" and \"condition\"")
        return try poll(
            fields["interval"], fields["condition"], dedupe: fields["dedupe"], missingAt: fields.path(of:))
    }

    /// `trigger: "poll"` with `poll_interval` and `condition` beside it.
    private func readOlderTrigger(
        _ field: Field, _ fields: Fields, into plan: inout SchedulePlan
    ) throws(FieldError) {
        guard field.value.stringValue == "poll" else {
            throw field.refusal(expected: "an object {\"queue\": NAME}, or \"poll\"")
        }
        // Where both spellings are there, they are two schedules, and refused as such.
        plan.poll = try poll(fields["poll_interval"], fields["condition"], dedupe: nil) { key in
            fields.path(of: key == "interval" ? "poll_interval" : key)
        }
        plan.given.append(field)
    }

    private func poll(
        _ interval: Field?, _ condition: Field?, dedupe: Field?, missingAt path: (String) -> [JSONPathStep]
    ) throws(FieldError) -> Job.Poll {
        guard let interval else {
            throw FieldError(path: path("interval"), "missing; expected a duration between two polls")
        }
        guard let condition else {
            throw FieldError(path: path("condition"), "missing; expected the command that decides")
        }
        var poll = Job.Poll(
            interval: try interval.duration(atLeast: .seconds(1)), condition: try command(condition))
        if let dedupe { poll.dedupe = try readDedupe(dedupe) }
        return poll
    }

    /// A duration, or in an older spelling whether the same output ever makes a second run.
    private func readDedupe(_ field: Field) throws(FieldError) -> Duration? {
        if let isOnce = field.value.boolValue { return isOnce ? .seconds(Int64(Bounds.durationSecondsMax)) : nil }
        let duration = try field.duration()
        return duration == .zero ? nil : duration
    }

    private func readQueue(_ field: Field) throws(FieldError) -> (name: String, batch: Int) {
        let fields = try Fields(field, Self.queueVocabulary, expected: "an object {\"queue\": NAME}, or \"poll\"")
        guard let queue = fields["queue"] else {
            throw FieldError(path: fields.path(of: "queue"), "missing; it names the queue")
        }
        return (
            try queue.queueName(),
            try fields["batch"]?.integer(1...Scheduler.Limits.queueBatch) ?? 1
        )
    }
}

extension SchedulePlan {
    fileprivate static var types: String { EntryType.allCases.map(\.rawValue).joined(separator: ", ") }
}

extension SchedulePlan.EntryType {
    fileprivate var expected: String {
        switch self {
        case .cron: "a cron expression, such as \"0 9 * * MON-FRI\""
        case .interval: "an interval, such as \"30m\" or \"1 day\""
        case .once: "an instant, such as \"2026-12-25T09:00:00Z\" or \"in 2 hours\""
        case .calendar: "a calendar event, such as \"Mon..Fri 09:00\""
        }
    }
}
