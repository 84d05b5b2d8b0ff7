/// The exported objects by path, and who answers a call.
final class ObjectTree {
    /// A path that exists because it has an object or leads to one.
    private final class Node {
        var object: ExportedObject?
        /// The last elements of the paths right below.
        var children: Set<String> = []
    }

    private var nodes: [String: Node] = [:]
    private var subtrees: [String: ObjectSubtree] = [:]
    private var managers: Set<ObjectPath> = []
    private let standard = StandardInterfaces()

    // MARK: - Objects

    func removeAll() {
        nodes = [:]
        managers = []
        subtrees = [:]
    }

    /// Its path is there from now on, with or without objects below it.
    func insert(_ subtree: ObjectSubtree) {
        _ = node(at: subtree.path)
        subtrees[subtree.path.text] = subtree
    }

    /// Replaces what was at its path.
    func insert(_ object: ExportedObject) {
        node(at: object.path).object = object
        if object.isObjectManager {
            managers.insert(object.path)
        } else {
            managers.remove(object.path)
        }
    }

    /// Returns what was there.
    func remove(_ path: ObjectPath) -> ExportedObject? {
        guard let node = nodes[path.text], let object = node.object else { return nil }
        node.object = nil
        managers.remove(path)
        prune(path)
        return object
    }

    func object(at path: ObjectPath) -> ExportedObject? { nodes[path.text]?.object ?? made(at: path) }

    /// The object of a subtree, made for this once.
    private func made(at path: ObjectPath) -> ExportedObject? {
        guard !subtrees.isEmpty, let (parent, element) = path.parent, let subtree = subtrees[parent.text],
            let name = ObjectPath.unescape(element), let interfaces = subtree.interfaces(name)
        else { return nil }
        return ExportedObject(path, interfaces)
    }

    /// The last elements of the paths right below, without those of a subtree.
    func children(of path: ObjectPath) -> [String] { (nodes[path.text]?.children ?? []).sorted() }

    func subtree(at path: ObjectPath) -> ObjectSubtree? { subtrees[path.text] }

    /// The object managers above a path.
    func managers(of path: ObjectPath) -> [ObjectPath] {
        managers.filter { $0.contains(path) }.sorted { $0.text < $1.text }
    }

    /// Objects of their own below a path, by path, without those of subtrees.
    func objects(below path: ObjectPath) -> [ExportedObject] {
        nodes.values.compactMap(\.object).filter { path.contains($0.path) }.sorted { $0.path.text < $1.path.text }
    }

    /// Subtrees whose objects are all below a path, by path.
    func subtrees(below path: ObjectPath) -> [ObjectSubtree] {
        subtrees.values.filter { path == $0.path || path.contains($0.path) }.sorted { $0.path.text < $1.path.text }
    }

    private func node(at path: ObjectPath) -> Node {
        if let node = nodes[path.text] { return node }
        let node = Node()
        nodes[path.text] = node
        if let (parent, element) = path.parent {
            self.node(at: parent).children.insert(element)
        }
        return node
    }

    private func prune(_ path: ObjectPath) {
        guard let node = nodes[path.text], node.object == nil, node.children.isEmpty, subtrees[path.text] == nil else {
            return
        }
        nodes[path.text] = nil
        guard let (parent, element) = path.parent else { return }
        nodes[parent.text]?.children.remove(element)
        prune(parent)
    }

    // MARK: - Calls

    /// The method that a message calls.
    ///
    /// - Throws: `UnknownObject`, `UnknownInterface`, `UnknownMethod`.
    func target(of message: Message) throws(ErrorReply) -> (path: ObjectPath, interface: Interface, method: Method) {
        // libdbus lets no call without a path and a member through.
        guard let path = message.path, let member = message.member else {
            throw ErrorReply(.invalidArgs, "a call needs a path and a member")
        }
        let object = object(at: path)
        guard object != nil || nodes[path.text] != nil else {
            throw ErrorReply(.unknownObject, "cannot call \(member): there is no object at \(path)")
        }
        guard let name = message.interface else {
            let own = object?.interfaces ?? []
            for interface in own + standard.interfaces(of: object) {
                if let method = interface.method(member) { return (path, interface, method) }
            }
            throw ErrorReply(.unknownMethod, "cannot call \(member): no interface of \(path) has such a method")
        }
        guard let interface = object?.interface(name.text) ?? standard.interface(name, of: object) else {
            throw ErrorReply(.unknownInterface, "cannot call \(name).\(member): \(path) has no such interface")
        }
        guard let method = interface.method(member) else {
            throw ErrorReply(.unknownMethod, "cannot call \(name).\(member): the interface has no such method")
        }
        return (path, interface, method)
    }

    // MARK: - What every object has

    /// The interfaces of what is at a path, the standard ones last.
    func interfaces(at path: ObjectPath) -> [Interface] {
        let object = object(at: path)
        return (object?.interfaces ?? []) + standard.interfaces(of: object)
    }

    func isStandard(_ interface: String) -> Bool { standard.names.contains(interface) }

    // MARK: - Going out

    /// Refuses a signal that its object declares otherwise; what is not exported here is not checked.
    func checkSignal(
        _ path: ObjectPath, _ interface: InterfaceName, _ member: MemberName, _ arguments: [DBusValue]
    ) throws(DBusError) {
        guard let declared = object(at: path)?.interface(interface.text) else { return }
        guard let signal = declared.signal(member) else {
            throw DBusError(.invalidValue, "the interface declares no such signal")
        }
        try ArgumentCheck.values(arguments, signal.arguments)
    }

    /// The arguments of `PropertiesChanged`; nil where nothing is to be said.
    func changedValues(_ change: PropertyChanges.Change, fault: (String) -> Void) -> [DBusValue]? {
        guard let interface = object(at: change.path)?.interface(change.interface.text) else { return nil }
        var changed: [(String, DBusValue)] = []
        var invalidated: [String] = []
        for name in change.names {
            guard let property = interface.property(name.text) else {
                fault("\(change.interface) has no property \(name) that could change")
                continue
            }
            switch property.changeSignal {
            case .const, .no: break
            case .invalidates: invalidated.append(name.text)
            case .yes:
                if let value = try? property.getter(change.path) {
                    changed.append((name.text, value))
                } else {
                    invalidated.append(name.text)
                }
            }
        }
        guard !changed.isEmpty || !invalidated.isEmpty else { return nil }
        return [.string(change.interface.text), .properties(changed), .strings(invalidated)]
    }
}

extension ObjectPath {
    /// The path above and this path's last element; nil for `/`.
    fileprivate var parent: (ObjectPath, String)? {
        guard self != .root, let slash = text.utf8.lastIndex(of: UInt8(ascii: "/")) else { return nil }
        let above = slash == text.startIndex ? "/" : String(text[..<slash])
        return (ObjectPath(trusted: above), String(text[text.utf8.index(after: slash)...]))
    }
}
