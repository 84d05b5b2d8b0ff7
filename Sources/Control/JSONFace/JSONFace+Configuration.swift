internal import Configuration
internal import DBus
internal import JSON
internal import Scheduling

/// Handlers: all schedules, and config.json.
extension JSONFace {
    func toggleScheduler(_ call: MethodCall) throws { requests.toggleScheduler(call.flag(0)) { call.done($0) } }

    func getConfig(_ call: MethodCall) throws {
        call.answer(
            try settled { () throws(SettingsError) in try settings.value(call.text(0), call.text(1)) } ?? .null)
    }

    /// Success is that the file is written: what follows from it is a fact, and never refused.
    func updateConfig(_ call: MethodCall) throws {
        let value = try call.json(2, "value")
        try settled { () throws(SettingsError) in try settings.update(call.text(0), call.text(1), value) }
        requests.acknowledge(call) { call.reply([.bool(true)]) }
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
