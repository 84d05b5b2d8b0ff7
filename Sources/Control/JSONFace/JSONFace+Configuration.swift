internal import Configuration
internal import DBus
internal import JSON
internal import Scheduling

/// Handlers: all schedules, and config.json.
extension JSONFace {
    func toggleScheduler(_ call: MethodCall) throws { requests.toggleScheduler(call, call.flag(0)) { call.done($0) } }

    func getConfig(_ call: MethodCall) throws {
        try readConfig(call, call.text(0), call.text(1)) { text in
            call.reply([.string(text ?? "null")])
        } refuse: {
            call.fail($0)
        }
    }

    /// Reads a value of config.json in steps; `done` gets its JSON, nil where there is none.
    func readConfig(
        _ call: MethodCall, _ section: String, _ key: String, _ done: @escaping (String?) -> Void,
        refuse: @escaping (ErrorReply) -> Void
    ) throws(ErrorReply) {
        try checkKey(section, key)
        let step = try settled { () throws(SettingsError) in try settings.reading(section, key) }
        try steps.begin {
            guard !call.isAnswered else { return false }
            do throws(SettingsError) {
                switch try step() {
                case .underWay(let bytes) where bytes <= Bounds.listBytes: return true
                case .done(let text) where text?.utf8.count ?? 0 <= Bounds.listBytes: done(text)
                case .underWay, .done:
                    refuse(
                        ErrorReply(
                            .limitsExceeded,
                            "cannot give so much of config.json in one answer: it has more than \(Bounds.listBytes) "
                                + "bytes; ask for a key in it, and of jobs query_jobs has them page by page"))
                }
            } catch {
                refuse(ErrorReply(error))
            }
            return false
        }
    }

    /// Success is that the file is written: what follows from it is a fact, and never refused.
    func updateConfig(_ call: MethodCall) throws {
        let value = try call.json(2, "value")
        try checkKey(call.text(0), call.text(1))
        try settled { () throws(SettingsError) in try settings.update(call.text(0), call.text(1), value) }
        requests.acknowledge(call) { call.reply([.bool(true)]) }
    }

    /// Both are taken apart as text, which is slow.
    private func checkKey(_ section: String, _ key: String) throws(ErrorReply) {
        for (name, text) in [("section", section), ("key", key)] where text.utf8.count > Bounds.configurationKeyBytes {
            throw .tooLong(name, text.utf8.count, Bounds.configurationKeyBytes)
        }
    }

    func reloadConfig(_ call: MethodCall) throws {
        let result = try settled { () throws(SettingsError) in try settings.reload() }
        requests.acknowledge(call) {
            call.answer([
                "added": .array(result.added.map { .string($0) }),
                "changed": .array(result.changed.map { .string($0) }),
                "removed": .array(result.removed.map { .string($0) }),
                "invalid": .array(
                    result.refused.map { ["name": .string($0.name), "error": .string($0.error)] }),
            ])
        }
    }

    /// What Settings refuses, in the words of the bus.
    func settled<T>(_ body: () throws(SettingsError) -> T) throws(ErrorReply) -> T {
        do throws(SettingsError) {
            return try body()
        } catch {
            throw ErrorReply(error)
        }
    }
}
