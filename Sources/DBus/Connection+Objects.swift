extension Connection {
    /// Puts an object on the bus, in place of what was at its path. Object managers above it announce it, unless told
    /// not to (`announces`): for a first filling that nobody can have asked about yet.
    public func export(_ object: ExportedObject, announces: Bool = true) {
        guard isOpen else { return }
        if announces {
            unexport(object.path)
        }
        objects.insert(object)
        if announces { announce(object) }
    }

    /// Puts all objects of a subtree on the bus, without a word of those that are there now.
    public func export(_ subtree: ObjectSubtree) {
        guard isOpen else { return }
        objects.insert(subtree)
    }

    /// Tells object managers of an object of a subtree that has come.
    public func announceAdded(_ path: ObjectPath) {
        guard isOpen, let object = objects.object(at: path) else { return }
        announce(object)
    }

    /// Tells object managers of an object of a subtree that has gone.
    public func announceRemoved(_ path: ObjectPath, _ interfaces: [InterfaceName]) {
        guard isOpen else { return }
        let names = DBusValue.strings(interfaces.map(\.text))
        for manager in objects.managers(of: path) {
            emit(manager, "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved", [.objectPath(path), names])
        }
    }

    private func announce(_ object: ExportedObject) {
        let managers = objects.managers(of: object.path)
        guard !managers.isEmpty else { return }
        let state = StandardInterfaces.state(of: object, on: self)
        for manager in managers {
            emit(
                manager, "org.freedesktop.DBus.ObjectManager", "InterfacesAdded", [.objectPath(object.path), state])
        }
    }

    /// Takes the object at `path` off the bus; objects below it stay. Calls that it has not answered yet may still be.
    public func unexport(_ path: ObjectPath) {
        let managers = objects.managers(of: path)
        guard let object = objects.remove(path) else { return }
        let names = DBusValue.strings(object.interfaces.map(\.name.text))
        for manager in managers {
            emit(manager, "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved", [.objectPath(path), names])
        }
    }
}
