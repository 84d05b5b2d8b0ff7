internal import DBus
internal import JSON
internal import Performing
internal import Schedules
internal import Scheduling

/// Tells the bus what is now on record, and answers those who wait for it.
struct Announcer {
    let outlet: Outlet
    let service: any ServiceControl
    let telling: RunTelling
    let waiters: Waiters
    let journal: JournalVoice

    /// A signal of the JSON face: its name, and its arguments by name.
    private struct Signal {
        let name: MemberName
        let arguments: [(name: String, value: DBusValue)]
    }

    /// Tells everybody. The store forgets that this is still to be told when all is ready to be sent, and right before
    /// it is: a daemon that is killed between the two tells too little, so as little as can be lies between them.
    func tell(_ announcements: [Announcement], aboutToSend: () -> Void) {
        // Nobody is told anything without the name: the next daemon does it.
        if service.isOnBus, outlet.connection?.isOpen == true {
            let signals = announcements.compactMap { signal($0) }
            aboutToSend()
            send(signals)
        }
        for announcement in announcements {
            journal.tell(announcement)
            switch announcement {
            // One that was given up for its conditions may be waited for, too.
            case .jobCompleted(let run), .jobFailed(let run), .jobMissed(let run):
                waiters.ended(run.id) { telling.answer(of: run).compactText }
            case .schedulerToggled: outlet.changed(["Enabled"], of: Place.interface, at: Place.root)
            case .jobStarted, .jobRetrying, .jobPaused, .jobsChanged, .statusChanged, .queueChanged, .questionAsked:
                break
            }
        }
    }

    private func send(_ signals: [Signal]) {
        for signal in signals { outlet.emit(signal.name, signal.arguments.map(\.value)) }
        // The same once more as `Event`, for the older clients.
        for signal in signals {
            let data = JSONObject(signal.arguments.map { ($0.name, Self.json(of: $0.value)) })
            outlet.emit("Event", [.string(signal.name.text), .string(JSONValue.object(data).compactText)])
        }
    }

    /// Nil where the bus hears of it by other signals.
    private func signal(_ announcement: Announcement) -> Signal? {
        func ofRun(_ name: MemberName, _ run: Run, _ more: [(name: String, value: DBusValue)] = []) -> Signal {
            Signal(
                name: name, arguments: [("job", .string(run.job)), ("execution_id", .string(run.id))] + more)
        }
        switch announcement {
        case .jobStarted(let run):
            return ofRun("JobStarted", run)
        case .jobCompleted(let run):
            return ofRun("JobCompleted", run, [("result", .string(telling.json(of: run).compactText))])
        case .jobFailed(let run):
            return ofRun("JobFailed", run, [("error", .string(run.error ?? run.status.rawValue))])
        case .jobRetrying(let run, let attempt, let delay):
            return ofRun(
                "JobRetrying", run,
                [
                    ("next_attempt", .uint32(UInt32(clamping: attempt))), ("delay_seconds", .double(delay.inSeconds)),
                    ("error", .string(run.error ?? "")),
                ])
        case .jobMissed(let run):
            let at = (run.scheduledFor ?? run.createdAt).rfc3339(in: telling.zone(of: run))
            return Signal(
                name: "JobMissed",
                arguments: [
                    ("job", .string(run.job)), ("scheduled_for", .string(at)),
                    ("reason", .string(run.reason?.rawValue ?? "")),
                ])
        case .jobPaused:
            return nil
        case .schedulerToggled(let isEnabled):
            return Signal(name: "SchedulerToggled", arguments: [("enabled", .bool(isEnabled))])
        case .jobsChanged(let added, let changed, let removed):
            return Signal(
                name: "JobsChanged",
                arguments: [
                    ("added", .strings(added)), ("changed", .strings(changed)), ("removed", .strings(removed)),
                ])
        case .statusChanged(let status):
            return Signal(name: "StatusChanged", arguments: [("status", .string(status.rawValue))])
        case .questionAsked(let run, let question):
            return Signal(
                name: "QuestionAsked",
                arguments: [
                    ("execution_id", .string(run.id)),
                    ("question", .string(question.json(of: run, telling.zone(of: run)).compactText)),
                ])
        case .queueChanged(let queue, let items):
            return Signal(
                name: "QueueChanged",
                arguments: [("queue", .string(queue)), ("items", .uint32(UInt32(clamping: items)))])
        }
    }

    /// The types that arguments of our signals have.
    private static func json(of value: DBusValue) -> JSONValue {
        if let flag = value.asBool { return .bool(flag) }
        if let number = value.asDouble { return .number(number) }
        if let number = value.asUInt32 { return .number(number) }
        if let items = value.asArray { return .array(items.map { json(of: $0) }) }
        return .optional(value.asString)
    }
}
