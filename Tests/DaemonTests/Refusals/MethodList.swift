import DBus
import JSON
import TestSupport
import Testing

/// Everything that can be asked of a daemon, as it says so itself.
enum MethodList {
    /// Methods and properties that can be set, of every interface of ours on the objects of the bus, and the words of
    /// the older clients' door.
    static func names(_ session: Session, run: String, job: String) throws -> Set<String> {
        let paths = [
            Session.path, Session.path.appending("jobs").appending(job), Session.path.appending("runs").appending(run),
        ]
        var names: Set<String> = []
        for path in paths { names.formUnion(try members(session, path)) }
        // Each method of the JSON face can be called through the door, and what changes something has a row for it.
        let native = Asking.native.compactMap { if case .json(let member) = $0.way { member.text } else { nil } }
        return names.union(try olderNames(session)).union(native.map { "CallMethod \($0)" })
    }

    private static func members(_ session: Session, _ path: ObjectPath) throws -> [String] {
        let call = RemoteCall(Session.name, path, "org.freedesktop.DBus.Introspectable", "Introspect")
        let xml = try #require(try session.reply(call).get().first?.asString)
        var names: [String] = []
        var interface = ""
        for line in xml.split(separator: "\n") {
            let parts = line.split(separator: "\"", omittingEmptySubsequences: false).map(String.init)
            guard parts.count > 1 else { continue }
            let element = parts[0].drop { $0 == " " || $0 == "\t" }
            switch element {
            case "<interface name=": interface = parts[1]
            case "<method name=" where interface.hasPrefix(Session.interface.text):
                names.append("\(interface).\(parts[1])")
            case "<property name=" where interface.hasPrefix(Session.interface.text) && line.contains("write\""):
                names.append("\(interface).\(parts[1])=")
            default: break
            }
        }
        return names
    }

    /// The door has no list but its own source: what it answers by name there, and the operations that it names where
    /// one is none.
    private static func olderNames(_ session: Session) throws -> [String] {
        let root = #filePath.split(separator: "/").dropLast(4).reduce("") { $0 + "/" + $1 }
        let source = TestFile.text(root + "/Sources/Control/OlderDoor/OlderDoor.swift")
        let answer = try #require(source.split(separator: "func answer(").last).split(separator: "default:")[0]
        let handlers = answer.split(separator: "\n").flatMap { line -> [String] in
            guard let label = line.split(separator: "case ", maxSplits: 1).last?.split(separator: ":").first,
                line.contains("case \"")
            else { return [] }
            return label.split(separator: ", ").map { String($0.filter { $0 != "\"" }) }
        }
        let refusal = try session.json("CallMethod", "manage_scheduler", #"{"operation": "?"}"#).text("error")
        let operations = try #require(refusal.split(separator: "one of ").last).split(separator: ", ").map {
            "manage_scheduler " + $0.prefix { $0.isLetter || $0 == "_" }
        }
        try #require(handlers.count > 5 && operations.count > 5, "\(handlers), \(refusal)")
        return (handlers + operations).map { "CallMethod \($0)" }
    }
}
