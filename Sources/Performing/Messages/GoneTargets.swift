internal import JSON
internal import Processes
internal import Schedules
internal import Store

/// Targets that are off, because their server has said that there is nothing at their address any more (410), and that
/// nobody should ask again. Each is on again when its configuration is another.
///
/// Kept in the store, as a note, with a hash of what the configuration was: it tells another one apart, and no secret.
final class GoneTargets {
    private struct Gone: Equatable {
        var hash: String
        var since: String
    }

    private let store: any Store
    /// By name. Nil until it was read.
    private var targets: [String: Gone]?

    init(store: any Store) { self.store = store }

    static func hash(_ parts: [String?]) -> String {
        String(StableHash.fnv1a(parts.map { $0 ?? "" }.joined(separator: "\n")), radix: 16)
    }

    /// Since when it is off; nil where it is not, or was with another configuration.
    func since(_ name: String, hash: String) -> String? {
        let known = read()[name]
        return known?.hash == hash ? known?.since : nil
    }

    var names: [String] { read().keys.sorted() }

    func turnOff(_ name: String, hash: String, at now: Instant) {
        keep(name, Gone(hash: hash, since: now.rfc3339(in: .utc)))
    }

    func turnOn(_ name: String) {
        if read()[name] != nil { keep(name, nil) }
    }

    private func read() -> [String: Gone] {
        if let targets { return targets }
        guard let text = try? store.note(.goneTargets), let note = try? JSONValue(parsing: text) else { return [:] }
        var read: [String: Gone] = [:]
        for (name, entry) in note.objectValue ?? [:] {
            guard let hash = entry["hash"]?.stringValue, let since = entry["since"]?.stringValue else { continue }
            read[name] = Gone(hash: hash, since: since)
        }
        targets = read
        return read
    }

    /// That it is not kept costs a message that is answered 410 once more.
    private func keep(_ name: String, _ gone: Gone?) {
        var all = read()
        all[name] = gone
        targets = all
        var note: JSONObject = [:]
        for (name, gone) in all.sorted(by: { $0.key < $1.key }) {
            note[name] = ["hash": .string(gone.hash), "since": .string(gone.since)]
        }
        try? store.keep(all.isEmpty ? nil : JSONValue.object(note).compactText, as: .goneTargets)
    }
}
