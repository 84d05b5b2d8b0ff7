import DBus
import Glibc
import TestSupport
import Testing

/// The interface as it is written down, as it is told, and as it is.
@Suite(.ownThread) struct InterfaceDocumentTests {
    private let session: Session

    init() throws {
        session = try Session(jobs: [])
        try session.start()
    }

    private func introspect(_ path: ObjectPath = Session.path) throws -> String {
        let call = RemoteCall(
            Session.name, path, "org.freedesktop.DBus.Introspectable", "Introspect")
        return try #require(try session.reply(call).get().first?.asString)
    }

    /// The lines of an interface of ours, without their indentation.
    private func interface(_ xml: String, _ name: String = "com.aiworkflow.BotCron") throws -> [String] {
        let lines = xml.split(separator: "\n").map { String($0.trimmingPrefix { $0 == " " || $0 == "\t" }) }
        let first = try #require(lines.firstIndex { $0.hasPrefix("<interface name=\"\(name)\">") })
        let last = try #require(lines[first...].firstIndex { $0.hasPrefix("</interface>") })
        return Array(lines[first...last])
    }

    private func names(_ element: String, _ lines: [String]) -> [String] {
        lines.compactMap { line in
            guard line.hasPrefix("<\(element) name=\"") else { return nil }
            return line.split(separator: "\"").dropFirst().first.map(String.init)
        }
    }

    @Test func theDocumentsAreWhatIntrospectAnswers() throws {
        _ = try session.json("schedule_job", #"{"name": "held", "command": ["sleep", "100"]}"#)
        let run = try session.json("run_job", "held").text("execution_id")
        let objects: [(name: String, path: ObjectPath)] = [
            ("com.aiworkflow.BotCron", Session.path), ("com.aiworkflow.BotCron.Manager1", Session.path),
            ("com.aiworkflow.BotCron.Job1", Session.path.appending("jobs").appending("held")),
            ("com.aiworkflow.BotCron.Run1", Session.path.appending("runs").appending(run)),
        ]
        for (name, path) in objects {
            let document = try TestFile.ownText(TestPlace.package + "/dbus/\(name).xml")
            #expect(try interface(document, name) == interface(introspect(path), name))
        }
        try session.done("cancel_run", .string(run))
        _ = try session.waitForRun(run)
    }

    @Test func everyDeclaredMethodHasAHandlerAndEveryPropertyAValue() throws {
        let lines = try interface(introspect())
        let methods = names("method", lines)
        #expect(methods.count >= 11)
        for method in methods where method != "Shutdown" {
            // Far too many arguments: whoever is there says so.
            let member = try #require(MemberName(method))
            let arguments = [DBusValue](repeating: .strings([]), count: 20)
            guard case .failure(let error) = try session.reply(member, arguments) else {
                Issue.record("\(method) took twenty arrays")
                continue
            }
            #expect(error.name == .invalidArgs, "\(method): \(error)")
        }
        for property in names("property", lines) {
            _ = try session.property(property)
        }
        let all = RemoteCall(
            Session.name, Session.path, "org.freedesktop.DBus.Properties", "GetAll", [.string(Session.interface.text)])
        let values = try #require(try session.reply(all).get().first?.asEntries)
        #expect(Set(values.compactMap(\.key.asString)) == Set(names("property", lines)))
    }

    @Test func noTwoMembersAreOneInSnakeCase() throws {
        let lines = try interface(introspect())
        for element in ["method", "signal", "property"] {
            let folded = names(element, lines).map { $0.lowercased().filter { $0 != "_" } }
            #expect(Set(folded).count == folded.count, "\(element)")
        }
    }

    @Test func changingPropertiesAreMarkedAsTheyAreTold() throws {
        let xml = try interface(introspect()).joined(separator: "\n")
        func annotation(_ name: String) -> String {
            let property = xml.split(separator: "<property ").first { $0.hasPrefix("name=\"\(name)\"") } ?? ""
            let body = property.split(separator: "</property>", omittingEmptySubsequences: false).first ?? ""
            let parts = body.split(separator: "EmitsChangedSignal\" value=\"")
            return parts.count > 1 ? String(parts[1].prefix { $0 != "\"" }) : "true"
        }
        for name in ["Enabled", "NextRun"] { #expect(annotation(name) == "true", "\(name)") }
        for name in ["Uptime", "Stats"] { #expect(annotation(name) == "false", "\(name)") }
        #expect(annotation("Version") == "const")
    }
}
