public import JSON
public import Schedules
public import Scheduling

/// Schedules to look at before anything is saved.
public struct SchedulePreview: Sendable, Equatable {
    /// Schedules, zone, window, exclusions and counts as a job has them; its action is an empty command.
    public var job: Job
    /// Where the preview begins, exclusive.
    public var after: Instant
}

extension ConfigurationReader {
    /// Reads what a preview is asked for: a cron expression, or a JSON object with the schedule keys of a job, which
    /// may carry `after`, `created_at` and `registered_at` as instants.
    ///
    /// Other keys of a job are allowed and left alone. What is not given is `now`.
    public func readPreview(
        of text: String, in configuration: Configuration
    ) throws(JobError) -> SchedulePreview {
        let start = text.first { !$0.isWhitespace }
        guard start == "{" || start == "\"" else {
            return try readPreview(of: JSONValue.object(["cron": .string(text)]), in: configuration)
        }
        let value: JSONValue
        do {
            value = try JSONValue(parsing: text)
        } catch {
            throw JobError(kind: .job, job: nil, key: "", message: error.description)
        }
        return try readPreview(of: value, in: configuration)
    }

    /// As for text; a string is a cron expression.
    public func readPreview(
        of value: JSONValue, in configuration: Configuration
    ) throws(JobError) -> SchedulePreview {
        let definition = value.stringValue.map { ["cron": .string($0)] } ?? value
        do {
            return try preview(definition, configuration)
        } catch {
            throw JobError(error, job: nil).with(excerptOf: error, in: definition)
        }
    }

    private func preview(_ value: JSONValue, _ configuration: Configuration) throws(FieldError) -> SchedulePreview {
        guard var object = value.objectValue else {
            throw Field(path: [], value: value).refusal(expected: "a cron expression or an object")
        }
        // As an instant `after` is the preview's; as an object it is the schedule of that name.
        let ownKeys = ["created_at", "registered_at"] + (object["after"]?.stringValue == nil ? [] : ["after"])
        var own: [String: Field] = [:]
        for key in ownKeys {
            guard let value = object[key] else { continue }
            object[key] = nil
            if !value.isNull { own[key] = Field(path: [.key(key)], value: value) }
        }
        let fields = try Fields(Field(path: [], value: .object(object)), Self.jobVocabulary)
        let zone = try fields["timezone"].map { field throws(FieldError) in try self.zone(named: field) }
        let zoneInForce = zone ?? configuration.timezone
        let registeredAt = try instant(own["registered_at"] ?? own["created_at"], zoneInForce) ?? now
        // Its name is in no store, its registration in nobody's memory.
        var job = Job(name: "preview", registeredAt: registeredAt, zone: zoneInForce, action: .command([]))
        try readWhen(fields, configuration, .at(registeredAt), into: &job)
        return SchedulePreview(job: job, after: try instant(own["after"], zoneInForce) ?? now)
    }
}
