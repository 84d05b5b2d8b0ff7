import JSON
import Schedules
import Scheduling

/// Definitions that repeat others but for their name and their command: of a hundred thousand most do. They are not
/// taken apart; what one of them became is, with another name and command, what the next one becomes.
///
/// A definition is known by all the rest of its text, by whether it has a command, and by its registration. One whose
/// name or command is written with escapes, or is not what it should be, is left to the reader, which has the words for
/// it.
///
/// ```swift
/// if repeated.look(at: node), let job = repeated.job(definition: text) { … }    // else it is read,
/// repeated.keep(job)                                                           // and kept for those that follow
/// ```
struct RepeatedDefinitions {
    /// Models that are kept. Definitions that repeat none of them are read each by itself.
    private static let modelsMax = 16_384

    /// What a definition became. A class, so that looking one up copies no job.
    private final class Model {
        let job: Job
        let hasOwnTitle: Bool
        let rest: [UInt8]
        let hasCommand: Bool

        init(job: Job, hasOwnTitle: Bool, rest: [UInt8], hasCommand: Bool) {
            self.job = job
            self.hasOwnTitle = hasOwnTitle
            self.rest = rest
            self.hasCommand = hasCommand
        }
    }

    private let outline: JSONOutline
    private let reader: ConfigurationReader
    /// By a hash; of those that have the same the first.
    private var models: [Int: Model] = [:]

    // The definition that was looked at last.

    private var members: [JSONOutline.Member] = []
    /// Those that are neither its name nor its command.
    private var rest: [Range<Int>] = []
    private var name = ""
    /// Nil where it has none.
    private var command: Job.Action?
    private var registration: Registration?
    private var key = 0

    init(_ outline: JSONOutline, _ reader: ConfigurationReader) {
        self.outline = outline
        self.reader = reader
    }

    /// Looks at a definition.
    ///
    /// - Returns: whether it may repeat one.
    mutating func look(at node: JSONOutline.Node) -> Bool {
        rest.removeAll(keepingCapacity: true)
        name = ""
        command = nil
        guard outline.findMembers(of: node, into: &members) else { return false }
        for member in members {
            if has(member, "name") {
                guard name.isEmpty, let text = outline.plainString(at: member.value), JobName.isValid(text) else {
                    return false
                }
                name = text
            } else if has(member, "command") {
                guard command == nil, let found = plainCommand(member) else { return false }
                command = found
            } else {
                rest.append(member.text)
            }
        }
        guard !name.isEmpty else { return false }
        registration = reader.registration(name)
        key = hash()
        return true
    }

    /// What the definition that was looked at last becomes; nil where it repeats none.
    func job(definition: @autoclosure () -> String) -> Job? {
        guard let model = models[key], model.hasCommand == (command != nil), model.job.registeredAt == registeredAt,
            isRest(model.rest)
        else { return nil }
        // Another schedule is registered anew, and by what was remembered of it: that takes reading it.
        if let registration, registration.scheduleKey != model.job.scheduleKey { return nil }
        var job = model.job
        job.name = name
        if !model.hasOwnTitle { job.title = name }
        job.definition = definition()
        if let command, command != job.action { job.action = command }
        return job
    }

    /// Keeps what the definition that was looked at last became, for those that repeat it.
    mutating func keep(_ job: Job) {
        guard models.count < Self.modelsMax, models[key] == nil, job.registeredAt == registeredAt else { return }
        var hasOwnTitle = false
        for member in members {
            // It may mean the name, too.
            guard !outline.bytes[member.key].contains(UInt8(ascii: "\\")) else { return }
            switch ConfigurationReader.jobVocabulary.meaning(of: text(member.key)) {
            case "name" where !has(member, "name"): return
            case "title": hasOwnTitle = true
            default: break
            }
        }
        models[key] = Model(
            job: job, hasOwnTitle: hasOwnTitle, rest: rest.flatMap { outline.bytes[$0] }, hasCommand: command != nil)
    }

    /// When it counts as registered, unless its schedule turns out to be another one.
    private var registeredAt: Instant { registration?.registeredAt ?? reader.now }

    // MARK: - The text

    private func text(_ range: Range<Int>) -> String { String(decoding: outline.bytes[range], as: UTF8.self) }

    private func has(_ member: JSONOutline.Member, _ key: StaticString) -> Bool {
        guard member.key.count == key.utf8CodeUnitCount else { return false }
        for place in 0..<member.key.count
        where outline.bytes[member.key.lowerBound + place] != key.utf8Start[place] { return false }
        return true
    }

    private func plainCommand(_ member: JSONOutline.Member) -> Job.Action? {
        if let argv = outline.plainStrings(at: member.value) {
            guard let program = argv.first, !program.isEmpty else { return nil }
            return .command(argv)
        }
        guard let text = outline.plainString(at: member.value), !text.isEmpty else { return nil }
        return .shell(text)
    }

    private func hash() -> Int {
        var hasher = Hasher()
        hasher.combine(command != nil)
        hasher.combine(registeredAt.microseconds)
        outline.bytes.withUnsafeBytes { bytes in
            for range in rest { hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: bytes[range])) }
        }
        return hasher.finalize()
    }

    /// Whether that is the rest of the definition that was looked at last.
    private func isRest(_ text: [UInt8]) -> Bool {
        var at = 0
        for range in rest {
            guard text.count - at >= range.count, text[at..<at + range.count].elementsEqual(outline.bytes[range]) else {
                return false
            }
            at += range.count
        }
        return at == text.count
    }
}
