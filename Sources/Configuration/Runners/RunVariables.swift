import JSON
public import Scheduling

/// What the variables of templates stand for in one attempt of one run.
///
/// `inputs` and `message` may hold variables themselves: they are filled in when this value is made, the inputs first.
/// In them an unknown `${…}` stays as it is; inside the inputs `${input.NAME}` is the value as it was written, and
/// `${inputs_json}` and `${message}`, which would hold themselves, stay as they are.
public struct RunVariables: Sendable, Equatable {
    public let job: String
    public let skill: String
    public let persona: String
    public let project: String
    public let message: String
    /// The inputs with their variables filled in: a JSON object as text.
    public let inputs: String
    public let circumstances: Circumstances
    /// Member of the inputs → its text: a string as it is, anything else as JSON.
    private let inputTexts: [String: String]

    /// What is known of an attempt beside the definition of its job.
    public struct Circumstances: Sendable, Equatable {
        public var executionID: String
        /// The fire time (by hand: the request), RFC 3339.
        public var scheduledAt: String
        /// 1, 2, …
        public var attempt: Int
        /// 32 hex digits; empty where the job is not traced.
        public var traceID = ""
        public var traceparent = ""
        /// The environment that the process will have.
        public var environment: [String: String] = [:]
        /// Of the run before, for a chained one.
        public var previousOutput = ""
        public var previousStatus = ""

        public init(executionID: String, scheduledAt: String, attempt: Int) {
            self.executionID = executionID
            self.scheduledAt = scheduledAt
            self.attempt = attempt
        }
    }

    /// - Parameter inputs: those of the request, in place of the job's; a JSON object as text.
    public init(job: Job, inputs: String? = nil, _ circumstances: Circumstances) {
        self.job = job.name
        skill = job.skill
        persona = job.persona
        project = job.project
        self.circumstances = circumstances

        var source = Source(job: job, circumstances: circumstances)
        let written = Self.parse(inputs ?? job.inputs)
        source.inputTexts = Self.texts(of: written)
        let filled = source.fillStrings(in: .object(written)).objectValue ?? JSONObject()
        self.inputs = JSONValue.object(filled).compactText
        source.inputs = self.inputs
        source.inputTexts = Self.texts(of: filled)
        inputTexts = source.inputTexts
        message = source.fill(job.message)
    }

    /// A text that is no object counts as none: definitions are checked before they get here.
    private static func parse(_ inputs: String) -> JSONObject {
        (try? JSONValue(parsing: inputs))?.objectValue ?? JSONObject()
    }

    private static func texts(of inputs: JSONObject) -> [String: String] {
        var texts: [String: String] = [:]
        for (key, value) in inputs { texts[key] = value.stringValue ?? value.compactText }
        return texts
    }

    // MARK: - Values

    /// The text of a variable without NUL, which neither arguments nor the environment can hold.
    func text(of variable: TemplateVariable) -> String {
        switch variable {
        case .named(.message): withoutNUL(message)
        case .named(.inputsJSON): withoutNUL(inputs)
        case .named(.prompt): withoutNUL(prompt)
        default: source.text(of: variable) ?? ""
        }
    }

    private var source: Source {
        Source(
            job: job, skill: skill, persona: persona, project: project, circumstances: circumstances,
            inputs: inputs, inputTexts: inputTexts)
    }

    /// What an agent that takes a prompt is told.
    private var prompt: String {
        var lines = [
            "You run as the scheduled job \"\(job)\", session \(circumstances.executionID).",
            "Skill: \(skill)",
        ]
        if !persona.isEmpty { lines.append("Persona: \(persona)") }
        lines.append("Inputs (JSON): \(inputs)")
        lines.append("")
        let load = persona.isEmpty ? "Run" : "Load the persona \"\(persona)\", then run"
        lines.append("\(load) the skill \"\(skill)\" with these inputs, and report what was done and what came of it.")
        return lines.joined(separator: "\n")
    }
}

// MARK: - Where the values come from

/// The variables as far as they are known while inputs and message are being filled in.
private struct Source {
    let job: String
    let skill: String
    let persona: String
    let project: String
    let circumstances: RunVariables.Circumstances
    /// Nil while the inputs themselves are being filled in.
    var inputs: String?
    var inputTexts: [String: String] = [:]

    func text(of variable: TemplateVariable) -> String? {
        let text: String? =
            switch variable {
            case .named(.job): job
            case .named(.skill): skill
            case .named(.persona): persona
            case .named(.project): project
            case .named(.session), .named(.executionID): circumstances.executionID
            case .named(.scheduledAt): circumstances.scheduledAt
            case .named(.attempt): String(circumstances.attempt)
            case .named(.traceID): circumstances.traceID
            case .named(.traceUUID): traceUUID(ofTraceID: circumstances.traceID)
            case .named(.traceparent): circumstances.traceparent
            case .named(.previousOutput): circumstances.previousOutput
            case .named(.previousStatus): circumstances.previousStatus
            case .named(.inputsJSON): inputs
            case .named(.message), .named(.prompt): nil
            case .input(let name): inputTexts[name, default: ""]
            case .environment(let name): circumstances.environment[name, default: ""]
            }
        return text.map(withoutNUL)
    }

    /// The text with the known variables filled in and everything else as it is.
    func fill(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
        var filled = ""
        for part in TemplatePiece.split(text) {
            switch part {
            case .text(let text): filled += text
            case .unclosed(let rest): filled += "${" + rest
            case .name(let name): filled += TemplateVariable(name).flatMap { self.text(of: $0) } ?? "${\(name)}"
            }
        }
        return filled
    }

    /// The value with every string in it filled in; keys stay.
    func fillStrings(in value: JSONValue) -> JSONValue {
        switch value {
        case .string(let text): .string(fill(text))
        case .array(let elements): .array(elements.map(fillStrings))
        case .object(let members): .object(JSONObject(members.map { ($0.key, fillStrings(in: $0.value)) }))
        case .null, .bool, .number: value
        }
    }
}

extension Source {
    init(job: Job, circumstances: RunVariables.Circumstances) {
        self.init(
            job: job.name, skill: job.skill, persona: job.persona, project: job.project,
            circumstances: circumstances)
    }
}

private func withoutNUL(_ text: String) -> String {
    guard text.utf8.contains(0) else { return text }
    return String(String.UnicodeScalarView(text.unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : $0 }))
}

/// The trace id in the shape of a UUID; empty where it is not 32 hex digits.
///
/// Version and variant are set to those of a random UUID (RFC 9562 section 5.4), because programs that ask for a UUID
/// check them; the other 122 bits are the trace id's.
private func traceUUID(ofTraceID traceID: String) -> String {
    var digits = Array(traceID.lowercased().utf8)
    guard digits.count == 32, digits.allSatisfy({ $0.isHexDigit }) else { return "" }
    digits[12] = UInt8(ascii: "4")
    if !"89ab".utf8.contains(digits[16]) {
        digits[16] = Array("89ab".utf8)[Int(digits[16] & 3)]
    }
    let text = String(decoding: digits, as: UTF8.self)
    var groups: [Substring] = []
    var rest = text[...]
    for length in [8, 4, 4, 4, 12] {
        groups.append(rest.prefix(length))
        rest = rest.dropFirst(length)
    }
    return groups.joined(separator: "-")
}

extension UInt8 {
    fileprivate var isHexDigit: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
        default: false
        }
    }
}
