/// What may stand between `${` and `}`.
enum TemplateVariable: Sendable, Equatable {
    enum Name: String, Sendable, CaseIterable {
        case job, skill, persona, session, attempt, project, message, prompt, traceparent
        case inputsJSON = "inputs_json"
        case executionID = "execution_id"
        case scheduledAt = "scheduled_at"
        case traceID = "trace_id"
        case traceUUID = "trace_uuid"
        case previousOutput = "previous.output"
        case previousStatus = "previous.status"
    }

    case named(Name)
    /// A member of the inputs.
    case input(String)
    /// A variable of the environment.
    case environment(String)

    init?(_ text: String) {
        if let name = Name(rawValue: text) {
            self = .named(name)
        } else if text.hasPrefix("input."), text.utf8.count > 6 {
            self = .input(String(text.dropFirst(6)))
        } else if text.hasPrefix("env."), text.utf8.count > 4 {
            self = .environment(String(text.dropFirst(4)))
        } else {
            return nil
        }
    }

    static let names = Name.allCases.map(\.rawValue) + ["input.NAME", "env.NAME"]
}
