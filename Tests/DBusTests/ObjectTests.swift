import TestSupport
import Testing

@testable import DBus

/// Many objects, their tree, introspection and the object manager.
@Suite struct ObjectTests {
    private let bus: PrivateBus
    private let service: Connection
    private let client: Connection

    init() throws {
        bus = try PrivateBus()
        service = try bus.serve([])
        client = try bus.connect()
    }

    private let job = Interface(
        "org.example.Job1",
        methods: [Method("Name", out: [Argument("path", "o")]) { $0.reply([.objectPath($0.path)]) }],
        properties: [Property("Path", "o") { .objectPath($0) }])

    private func call(_ path: ObjectPath, _ member: MemberName) throws -> Result<[DBusValue], ErrorReply> {
        try bus.call(client, RemoteCall("org.example.Test", path, nil, member))
    }

    @Test func thousandsOfObjectsShareOneDeclaration() throws {
        let jobs: ObjectPath = "/org/example/jobs"
        let paths = (0..<5000).map { jobs.appending("job \($0)") }
        for path in paths {
            service.export(ExportedObject(path, [job]))
        }
        for path in [paths[0], paths[2500], paths[4999]] {
            #expect(try call(path, "Name") == .success([.objectPath(path)]))
        }
        guard case .success(let values) = try call(jobs, "Introspect"), let xml = values.first?.asString else {
            throw TestFailure("no introspection")
        }
        #expect(xml.split(separator: "\n").count { $0.contains("<node name=") } == 5000)
        for path in paths {
            service.unexport(path)
        }
        guard case .failure(let error) = try call(jobs, "Introspect") else { throw TestFailure("the tree stayed") }
        #expect(error.name == .unknownObject)
    }

    @Test func theTreeIsThatOfTheObjects() {
        let tree = ObjectTree()
        tree.insert(ExportedObject("/a/b/c", []))
        tree.insert(ExportedObject("/a/b", []))
        tree.insert(ExportedObject("/", []))
        #expect(tree.children(of: "/") == ["a"])
        #expect(tree.children(of: "/a") == ["b"])
        #expect(tree.children(of: "/a/b") == ["c"])
        #expect(tree.remove("/a") == nil)
        #expect(tree.remove("/a/b") != nil)
        #expect(tree.children(of: "/a/b") == ["c"])
        #expect(tree.remove("/a/b/c") != nil)
        #expect(tree.children(of: "/") == [])
        #expect(tree.object(at: "/") != nil)
    }

    @Test func anObjectManagerTellsOfWhatIsBelowIt() throws {
        let manager: ObjectPath = "/org/example"
        var signals: [String] = []
        var added: [DBusValue] = []
        let rule = MatchRule(
            sender: "org.example.Test", path: manager, interface: "org.freedesktop.DBus.ObjectManager")
        let subscription = client.subscribe(rule) { signal in
            signals.append("\(signal.member) \(signal.arguments[0].asObjectPath?.text ?? "?")")
            if signal.member == "InterfacesAdded" { added = signal.arguments }
        }
        try bus.settle(client)
        service.export(ExportedObject(manager, [], isObjectManager: true))
        service.export(ExportedObject("/org/example/quiet", [job]), announces: false)
        service.export(ExportedObject("/org/example/a", [job]))
        service.export(ExportedObject("/org/example/a", [job]))
        service.export(ExportedObject("/elsewhere", [job]))
        service.unexport("/org/example/a")
        service.unexport("/org/example/a")
        try bus.settle(service)
        try bus.settle(client)
        #expect(
            signals == [
                "InterfacesAdded /org/example/a", "InterfacesRemoved /org/example/a", "InterfacesAdded /org/example/a",
                "InterfacesRemoved /org/example/a",
            ])
        #expect(added.count == 2 && added[1]["org.example.Job1"]?["Path"] == .objectPath("/org/example/a"))
        guard case .success(let managed) = try call(manager, "GetManagedObjects") else {
            throw TestFailure("no objects")
        }
        #expect(managed.first?.asEntries?.map(\.key) == [.objectPath("/org/example/quiet")])
        subscription.cancel()
    }

    @Test func objectsOfASubtreeAreMadeWhenTheyAreAskedFor() throws {
        let manager: ObjectPath = "/org/example"
        var names = ["a b", "1"]
        var made: [String] = []
        service.export(ExportedObject(manager, [], isObjectManager: true))
        service.export(
            ObjectSubtree("/org/example/jobs", names: { names }) { [job] name in
                made.append(name)
                return names.contains(name) ? [job] : nil
            })
        #expect(made == [])
        #expect(try call("/org/example/jobs/a_20b", "Name") == .success([.objectPath("/org/example/jobs/a_20b")]))
        #expect(Set(made) == ["a b"])
        // No such name, no such way to write it, nothing so deep.
        for path in ["/org/example/jobs/b", "/org/example/jobs/a_20B", "/org/example/jobs/a_20b/c"] as [ObjectPath] {
            guard case .failure(let error) = try call(path, "Name") else { throw TestFailure("\(path) is there") }
            #expect(error.name == .unknownObject, "\(path)")
        }
        guard case .success(let values) = try call("/org/example/jobs", "Introspect"),
            let xml = values.first?.asString, case .success(let managed) = try call(manager, "GetManagedObjects")
        else { throw TestFailure("no answers") }
        #expect(xml.contains("<node name=\"_31\"/>") && xml.contains("<node name=\"a_20b\"/>"))
        let paths: [DBusValue] = [.objectPath("/org/example/jobs/_31"), .objectPath("/org/example/jobs/a_20b")]
        // In the order of the names: a dictionary has none of its own.
        #expect(managed.first?.asEntries?.map(\.key) == paths.reversed())

        var signals: [String] = []
        let rule = MatchRule(sender: "org.example.Test", path: manager, interface: "org.freedesktop.DBus.ObjectManager")
        let subscription = client.subscribe(rule) { signals.append("\($0.member) \($0.arguments)") }
        try bus.settle(client)
        names.append("new")
        service.announceAdded("/org/example/jobs/new")
        service.announceAdded("/org/example/jobs/none")
        service.propertiesChanged("/org/example/jobs/new", "org.example.Job1", ["Path"])
        service.announceRemoved("/org/example/jobs/new", ["org.example.Job1"])
        try bus.settle(service)
        try bus.settle(client)
        #expect(signals.count == 2)
        #expect(signals.first?.contains("Job1") == true && signals.first?.contains("InterfacesAdded") == true)
        // An object beside them stays one.
        names = []
        service.export(ExportedObject("/org/example/jobs/plain", [job]))
        service.unexport("/org/example/jobs/plain")
        guard case .success = try call("/org/example/jobs", "Introspect") else { throw TestFailure("the path went") }
        subscription.cancel()
    }

    @Test func introspectionIsWhatTheDeclarationSays() {
        let interface = Interface(
            "org.example.Doc", documentation: "Text with <, & and \"quotes\".\nTwo lines.",
            methods: [
                Method(
                    "Do", in: [Argument("what", "s", documentation: "The thing.")], out: [Argument("done", "b")],
                    documentation: "Does it.", annotations: [.deprecated]
                ) { $0.reply([.bool(true)]) },
                Method("Nothing") { $0.reply() },
            ],
            signals: [SignalDeclaration("Done", [Argument("what", "s")], documentation: "It is done.")],
            properties: [
                Property("Level", "i", set: { _, _ in }, get: { _ in .int32(1) }),
                Property("Uptime", "d", changeSignal: .no, documentation: "Seconds.") { _ in .double(1) },
            ])
        let expected = """
            <!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
             "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
            <node>
              <interface name="org.example.Doc">
                <annotation name="org.gtk.GDBus.DocString" value="Text with &lt;, &amp; and &quot;quotes&quot;.&#10;Two lines."/>
                <method name="Do">
                  <annotation name="org.gtk.GDBus.DocString" value="Does it."/>
                  <annotation name="org.freedesktop.DBus.Deprecated" value="true"/>
                  <arg name="what" type="s" direction="in">
                    <annotation name="org.gtk.GDBus.DocString" value="The thing."/>
                  </arg>
                  <arg name="done" type="b" direction="out"/>
                </method>
                <method name="Nothing"/>
                <signal name="Done">
                  <annotation name="org.gtk.GDBus.DocString" value="It is done."/>
                  <arg name="what" type="s"/>
                </signal>
                <property name="Level" type="i" access="readwrite"/>
                <property name="Uptime" type="d" access="read">
                  <annotation name="org.gtk.GDBus.DocString" value="Seconds."/>
                  <annotation name="org.freedesktop.DBus.Property.EmitsChangedSignal" value="false"/>
                </property>
              </interface>
            </node>

            """
        #expect(interface.xmlDocument == expected)
        #expect(expected.contains(interface.xml))
    }
}
