import Configuration
import Glibc
import JSON
import Schedules

/// A job's definition as `add` puts it together from a command line.
struct JobDefinition {
    private(set) var object: JSONObject

    /// - Throws: what no job could be made of, whoever is asked; the rest is the daemon's to judge.
    init(_ request: Request, _ context: Context) throws(Failure) {
        object = ["name": .string(request.arguments[0])]
        try set(JobOption.others, request)
        try setSchedules(request, context)
        try setWork(request)
        for text in request.lists["--set"] ?? [] { try set(text, request) }
    }

    private mutating func set(_ options: [JobOption], _ request: Request) throws(Failure) {
        for option in options {
            guard let words = request.lists[option.name] else { continue }
            set(try option.value(words, request), at: option.path[...])
        }
    }

    private mutating func set(_ value: JSONValue, at path: ArraySlice<String>) {
        guard let key = path.first else { return }
        guard path.count > 1 else {
            object[key] = value
            return
        }
        var inner = object[key]?.objectValue ?? [:]
        inner[path[path.index(after: path.startIndex)]] = value
        object[key] = .object(inner)
    }

    // MARK: - When

    private mutating func setSchedules(_ request: Request, _ context: Context) throws(Failure) {
        var all: [JSONObject] = []
        for option in JobOption.schedules {
            for word in request.lists[option.name] ?? [] {
                let text = option.name == "--at" ? try instant(word, request, context) : word
                all.append([option.path[0]: .string(text)])
            }
        }
        if all.count > 1 {
            object["schedules"] = .array(all.map { .object($0) })
        } else if let only = all.first {
            for (key, value) in only { object[key] = value }
        }
    }

    /// A time of day or a day alone means the next one, of the job's zone or this terminal's. What counts from now is
    /// sent as it is: the daemon's own reading of it is on record, and reads as what was meant.
    private func instant(_ word: String, _ request: Request, _ context: Context) throws(Failure) -> String {
        let lowercased = word.lowercased()
        if lowercased == "now" || lowercased.hasPrefix("in ") { return word }
        let zone = try zone(request, context)
        return try context.moment(word, of: "--at", request, in: zone).instant.rfc3339(in: zone)
    }

    private func zone(_ request: Request, _ context: Context) throws(Failure) -> TimeZoneRules {
        guard let name = request.options["--timezone"] else { return context.zone }
        do {
            return try context.zones.zone(named: name)
        } catch {
            throw request.usage("--timezone: \(error.sentence)")
        }
    }

    // MARK: - What

    private mutating func setWork(_ request: Request) throws(Failure) {
        try set(JobOption.works, request)
        let given = JobOption.works.filter { request.has($0.name) }
        guard !request.command.isEmpty else {
            guard given.isEmpty, !request.has("--set") else { return }
            let schedule = JobOption.schedules.contains { request.has($0.name) } ? "…" : "--every 1h"
            throw request.usage(
                "the job needs a command: botcronctl add \(request.arguments[0]) \(schedule) -- COMMAND…")
        }
        if request.has("--script") {
            object["args"] = .array(request.command.map { .string($0) })
        } else if let other = given.first {
            throw request.usage("a command and \(other.name): a job does one thing")
        } else {
            object["command"] = .array(request.command.map { .string($0) })
        }
    }

    // MARK: - Any key

    /// `KEY=JSON`; a value that is no JSON is a text.
    private mutating func set(_ text: String, _ request: Request) throws(Failure) {
        guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
            throw request.usage("--set: found \"\(text)\", expected KEY=VALUE, such as history_limit=20")
        }
        let value = String(text[text.index(after: equals)...])
        object[String(text[..<equals])] = (try? JSONValue(parsing: value)) ?? .string(value)
    }
}

/// A path from where the user stands; one from `~` or `/` is as it is.
func absolutePath(_ path: String) -> String {
    guard !path.hasPrefix("/"), !path.hasPrefix("~"), let folder = getcwd(nil, 0) else { return path }
    defer { free(folder) }
    return String(cString: folder) + "/" + path
}
