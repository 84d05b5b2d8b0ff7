/// Properties that changed in this loop turn, by object and interface, in the order of their first change.
struct PropertyChanges {
    struct Change {
        let path: ObjectPath
        let interface: InterfaceName
        var names: [MemberName]
    }

    private struct Key: Hashable {
        let path: ObjectPath
        let interface: InterfaceName
    }

    private var changes: [Change] = []
    private var places: [Key: Int] = [:]

    mutating func add(_ path: ObjectPath, _ interface: InterfaceName, _ names: [MemberName]) {
        let key = Key(path: path, interface: interface)
        guard let place = places[key] else {
            places[key] = changes.count
            changes.append(Change(path: path, interface: interface, names: names))
            return
        }
        for name in names where !changes[place].names.contains(name) {
            changes[place].names.append(name)
        }
    }

    mutating func take() -> [Change] {
        defer { self = PropertyChanges() }
        return changes
    }
}
