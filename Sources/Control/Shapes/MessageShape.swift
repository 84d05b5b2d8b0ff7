internal import JSON
internal import Schedules
internal import Scheduling

/// A message about a run, as clients read it.
enum MessageShape {
    static func json(_ message: Message, zone: TimeZoneRules) -> JSONValue {
        [
            "id": .string(message.id), "target": .string(message.target), "on": .string(message.occasion.rawValue),
            "title": .string(message.title), "text": .string(message.text),
            "state": .string(message.state.rawValue), "error": .optional(message.fault),
            "sent": .number(message.sendings), "created_at": .instant(message.createdAt, zone),
            "next_at": .instant(message.nextAt, zone), "gathered_in": .optional(message.gatheredIn),
        ]
    }
}
