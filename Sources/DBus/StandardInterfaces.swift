internal import CDBus

/// The interfaces that every object has, declared as ours are.
struct StandardInterfaces {
    /// Objects whose properties are read in one step, and names that are written in one: some 10 ms each.
    private static let objectsPerStep = 100
    private static let namesPerStep = 2_000

    let names: Set<String>
    private let peer: Interface
    private let introspectable: Interface
    private let properties: Interface
    private let objectManager: Interface

    init() {
        peer = Self.makePeer()
        introspectable = Self.makeIntrospectable()
        properties = Self.makeProperties()
        objectManager = Self.makeObjectManager()
        names = Set([peer, introspectable, properties, objectManager].map(\.name.text))
    }

    /// What an object has besides its own; a path that only leads to objects has no properties.
    func interfaces(of object: ExportedObject?) -> [Interface] {
        guard let object else { return [introspectable, peer] }
        return object.isObjectManager
            ? [properties, introspectable, peer, objectManager] : [properties, introspectable, peer]
    }

    func interface(_ name: InterfaceName, of object: ExportedObject?) -> Interface? {
        interfaces(of: object).first { $0.name == name }
    }

    // MARK: - Peer

    private static func makePeer() -> Interface {
        Interface(
            "org.freedesktop.DBus.Peer",
            methods: [
                Method("Ping", .health) { $0.reply() },
                Method("GetMachineId", .health, out: [Argument("machine_uuid", "s")]) { call in
                    guard let id = dbus_try_get_local_machine_id(nil) else {
                        throw ErrorReply(.failed, "this machine has no readable machine id")
                    }
                    defer { dbus_free(id) }
                    call.reply([.string(String(cString: id))])
                },
            ])
    }

    // MARK: - Introspectable

    private static func makeIntrospectable() -> Interface {
        Interface(
            "org.freedesktop.DBus.Introspectable",
            methods: [Method("Introspect", out: [Argument("xml_data", "s")]) { try introspect($0) }])
    }

    private static func introspect(_ call: MethodCall) throws(ErrorReply) {
        let objects = call.connection.objects
        var xml = XMLText()
        xml.beginDocument(objects.interfaces(at: call.path))
        for child in objects.children(of: call.path) { xml.writeChild(child) }
        var rest = (objects.subtree(at: call.path)?.names() ?? [])[...]
        try call.inSteps {
            guard !call.isAnswered else { return false }
            for name in rest.prefix(namesPerStep) { xml.writeChild(ObjectPath.escape(name)) }
            rest = rest.dropFirst(namesPerStep)
            guard rest.isEmpty else { return true }
            xml.endDocument()
            call.reply([.string(xml.text)])
            return false
        }
    }

    // MARK: - Properties

    private static func makeProperties() -> Interface {
        let interfaceName = Argument("interface_name", "s")
        let propertyName = Argument("property_name", "s")
        return Interface(
            "org.freedesktop.DBus.Properties",
            methods: [
                Method("Get", in: [interfaceName, propertyName], out: [Argument("value", "v")]) { call in
                    let (_, property) = try property(of: call)
                    call.reply([.variant(try checkedValue(of: property, at: call.path))])
                },
                Method("GetAll", in: [interfaceName], out: [Argument("properties", "a{sv}")]) { call in
                    let name = call.arguments[0].asString ?? ""
                    call.reply([try allValues(of: name, at: call.path, on: call.connection)])
                },
                Method("Set", .change, in: [interfaceName, propertyName, Argument("value", "v")]) { call in
                    let (interface, property) = try property(of: call)
                    guard let set = property.setter else {
                        throw ErrorReply(
                            .propertyReadOnly, "cannot set \(interface.name).\(property.name): it is read-only")
                    }
                    guard case .variant(let value) = call.arguments[2], value.signature == property.signature else {
                        throw ErrorReply(
                            .invalidArgs,
                            "cannot set \(interface.name).\(property.name) to a value of type "
                                + "'\(call.arguments[2].unwrapped.signature)'; expected: '\(property.signature)'")
                    }
                    try set(call, value) { error in
                        if call.isAnswered { return }
                        if let error { call.fail(error) } else { call.reply() }
                    }
                },
            ],
            signals: [
                SignalDeclaration(
                    "PropertiesChanged",
                    [
                        interfaceName, Argument("changed_properties", "a{sv}"),
                        Argument("invalidated_properties", "as"),
                    ])
            ])
    }

    /// The property that Get or Set names; an empty interface name means the first that has it.
    private static func property(of call: MethodCall) throws(ErrorReply) -> (Interface, Property) {
        let interfaceName = call.arguments[0].asString ?? ""
        let name = call.arguments[1].asString ?? ""
        let object = call.connection.objects.object(at: call.path)
        let candidates = (object?.interfaces ?? []).filter { interfaceName.isEmpty || $0.name.text == interfaceName }
        for interface in candidates {
            if let property = interface.property(name) { return (interface, property) }
        }
        let isKnown = !candidates.isEmpty || interfaceName.isEmpty || call.connection.objects.isStandard(interfaceName)
        guard isKnown else { throw unknownInterface(interfaceName, at: call.path) }
        throw ErrorReply(
            .unknownProperty, "\(call.path) has no property \"\(name.shortened)\" in '\(interfaceName.shortened)'")
    }

    private static func unknownInterface(_ name: String, at path: ObjectPath) -> ErrorReply {
        ErrorReply(.unknownInterface, "\(path) has no interface \"\(name.shortened)\"")
    }

    private static func checkedValue(of property: Property, at path: ObjectPath) throws -> DBusValue {
        let value = try property.getter(path)
        var check = ValueCheck()
        try check.value(value, property.type)
        return value
    }

    /// `a{sv}` of an interface; a property that cannot be read now is left out.
    private static func allValues(
        of name: String, at path: ObjectPath, on connection: Connection
    ) throws(ErrorReply) -> DBusValue {
        guard let object = connection.objects.object(at: path) else { return .properties([]) }
        if name.isEmpty {
            return .properties(object.interfaces.flatMap { values(of: $0, at: path, on: connection) })
        }
        if let interface = object.interface(name) {
            return .properties(values(of: interface, at: path, on: connection))
        }
        guard connection.objects.isStandard(name) else { throw unknownInterface(name, at: path) }
        return .properties([])
    }

    static func values(
        of interface: Interface, at path: ObjectPath, on connection: Connection
    ) -> [(String, DBusValue)] {
        interface.properties.compactMap { property in
            do {
                return (property.name.text, try checkedValue(of: property, at: path))
            } catch let error as DBusError {
                connection.onFault("the property \(interface.name).\(property.name) at \(path): \(error)")
                return nil
            } catch {
                return nil
            }
        }
    }

    // MARK: - ObjectManager

    private static func makeObjectManager() -> Interface {
        Interface(
            "org.freedesktop.DBus.ObjectManager",
            methods: [
                Method("GetManagedObjects", out: [Argument("objects", "a{oa{sa{sv}}}")]) { try listObjects($0) }
            ],
            signals: [
                SignalDeclaration("InterfacesAdded", [Argument("object", "o"), Argument("interfaces", "a{sa{sv}}")]),
                SignalDeclaration("InterfacesRemoved", [Argument("object", "o"), Argument("interfaces", "as")]),
            ])
    }

    /// Those of subtrees come as they are when it is their turn; one that has gone by then is left out.
    private static func listObjects(_ call: MethodCall) throws(ErrorReply) {
        let objects = call.connection.objects
        var own = objects.objects(below: call.path)[...]
        var made: [(tree: ObjectSubtree, names: ArraySlice<String>)] = []
        for tree in objects.subtrees(below: call.path) {
            let names = tree.names()
            guard names.count <= tree.listedMax else {
                throw tooMany("there are \(names.count), which is more than \(tree.listedMax)", tree)
            }
            made.append((tree, names[...]))
        }
        func next() -> ExportedObject? {
            if let object = own.popFirst() { return object }
            while let (tree, names) = made.first {
                guard let name = names.first else {
                    made.removeFirst()
                    continue
                }
                made[0].names.removeFirst()
                if let object = objects.object(at: tree.path.appending(name)) { return object }
            }
            return nil
        }
        let largest = made.max { $0.names.count < $1.names.count }?.tree
        try call.reply(
            step: { reply throws(DBusError) in
                for _ in 0..<objectsPerStep {
                    guard let object = next() else { return false }
                    let state = state(of: object, on: call.connection)
                    try reply.append(DBusValue.Entry(.objectPath(object.path), state))
                }
                return true
            }, tooLong: tooMany("they have more than \(Connection.bodyBytesMax) bytes", largest))
    }

    private static func tooMany(_ what: String, _ tree: ObjectSubtree?) -> ErrorReply {
        let advice = tree.map { "; \($0.instead)" } ?? ""
        return ErrorReply(.limitsExceeded, "cannot give every object in one answer: \(what)\(advice)")
    }

    /// An object's interfaces with all their properties, `a{sa{sv}}`; the standard ones are not counted.
    static func state(of object: ExportedObject, on connection: Connection) -> DBusValue {
        let entries = object.interfaces.map { interface in
            DBusValue.Entry(
                .string(interface.name.text), .properties(values(of: interface, at: object.path, on: connection)))
        }
        return .dictionary(entries, key: "s", value: "a{sv}")
    }
}
