internal import CDBus

/// The interfaces that every object has, declared as ours are.
struct StandardInterfaces {
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
            methods: [
                Method("Introspect", out: [Argument("xml_data", "s")]) { call in
                    call.reply([.string(call.connection.objects.introspection(of: call.path))])
                }
            ])
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
                Method("Set", .request, in: [interfaceName, propertyName, Argument("value", "v")]) { call in
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
                    try set(call.path, value) { error in
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
                Method("GetManagedObjects", out: [Argument("objects", "a{oa{sa{sv}}}")]) { call in
                    let objects = call.connection.objects.objects(below: call.path)
                    let entries = objects.map { object in
                        DBusValue.Entry(.objectPath(object.path), state(of: object, on: call.connection))
                    }
                    call.reply([.dictionary(entries, key: "o", value: "a{sa{sv}}")])
                }
            ],
            signals: [
                SignalDeclaration("InterfacesAdded", [Argument("object", "o"), Argument("interfaces", "a{sa{sv}}")]),
                SignalDeclaration("InterfacesRemoved", [Argument("object", "o"), Argument("interfaces", "as")]),
            ])
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
