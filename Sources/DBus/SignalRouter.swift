/// Who wants which signals, and who owns the names that they asked by.
///
/// The bus hands us what any of our match rules lets through, and whatever a peer addresses to us directly. So each
/// signal is matched here again: with a well-known sender, only what that name's owner of the moment sent counts.
final class SignalRouter {
    private struct Entry {
        let rule: MatchRule
        let handler: (ReceivedSignal) -> Void
    }

    /// A well-known name whose owner some rule depends on.
    private struct TrackedName {
        var owner: BusName?
        var ruleCount = 0
    }

    private var entries: [Int: Entry] = [:]
    private var tracked: [BusName: TrackedName] = [:]
    private var peers: [BusName: [Int: () -> Void]] = [:]
    private var lastID = 0

    func removeAll() {
        entries = [:]
        tracked = [:]
        peers = [:]
    }

    // MARK: - Subscribing

    func add(
        _ rule: MatchRule, on connection: Connection, _ handler: @escaping (ReceivedSignal) -> Void
    ) -> Subscription {
        lastID += 1
        let id = lastID
        entries[id] = Entry(rule: rule, handler: handler)
        if let name = rule.trackedSender {
            track(name, on: connection)
        }
        connection.addMatch(rule)
        return Subscription { [weak self, weak connection] in
            guard let self, let connection, entries.removeValue(forKey: id) != nil else { return }
            connection.removeMatch(rule)
            if let name = rule.trackedSender {
                untrack(name, on: connection)
            }
        }
    }

    func addPeer(_ peer: BusName, on connection: Connection, _ vanished: @escaping () -> Void) -> Subscription {
        lastID += 1
        let id = lastID
        if peers[peer] == nil {
            connection.addMatch(.ownerChange(of: peer))
            // It may have gone before the rule was there, and then nothing would tell.
            connection.call(.toBus("NameHasOwner", [.string(peer.text)])) { [weak self] result in
                if case .success(let values) = result, values == [.bool(false)] {
                    self?.vanish(peer)
                }
            }
        }
        peers[peer, default: [:]][id] = vanished
        return Subscription { [weak self, weak connection] in
            guard let self, let connection, peers[peer]?.removeValue(forKey: id) != nil else { return }
            if peers[peer]?.isEmpty == true {
                peers[peer] = nil
                connection.removeMatch(.ownerChange(of: peer))
            }
        }
    }

    /// In this order the owner is known before the first signal of the rule that needs it.
    private func track(_ name: BusName, on connection: Connection) {
        tracked[name, default: TrackedName()].ruleCount += 1
        guard tracked[name]?.ruleCount == 1 else { return }
        connection.addMatch(.ownerChange(of: name))
        connection.call(.toBus("GetNameOwner", [.string(name.text)])) { [weak self] result in
            guard case .success(let values) = result, let owner = values.first?.asString else { return }
            self?.tracked[name]?.owner = BusName(owner)
        }
    }

    private func untrack(_ name: BusName, on connection: Connection) {
        tracked[name]?.ruleCount -= 1
        guard tracked[name]?.ruleCount == 0 else { return }
        tracked[name] = nil
        connection.removeMatch(.ownerChange(of: name))
    }

    // MARK: - Dispatching

    func dispatch(_ message: Message, on connection: Connection) {
        guard let path = message.path, let interface = message.interface, let member = message.member else { return }
        let sender = message.sender
        let matching = entries.filter { matches($0.value.rule, sender, path, interface, member) }.keys.sorted()
        let isFromBus = sender == .bus && interface == "org.freedesktop.DBus"
        guard isFromBus || !matching.isEmpty else { return }
        // A body beyond the reader's bounds is not delivered.
        guard let arguments = try? message.values() else { return }
        if isFromBus {
            follow(member, arguments, on: connection)
        }
        let signal = ReceivedSignal(
            sender: sender, path: path, interface: interface, member: member, arguments: arguments)
        for id in matching {
            // A handler before this one may have cancelled it.
            guard let entry = entries[id] else { continue }
            if let first = entry.rule.firstArgument, arguments.first != .string(first) { continue }
            entry.handler(signal)
        }
    }

    private func matches(
        _ rule: MatchRule, _ sender: BusName?, _ path: ObjectPath, _ interface: InterfaceName, _ member: MemberName
    ) -> Bool {
        guard rule.member == nil || rule.member == member, rule.interface == nil || rule.interface == interface,
            rule.path == nil || rule.path == path
        else { return false }
        guard let wanted = rule.sender else { return true }
        return sender == (rule.trackedSender.map { tracked[$0]?.owner } ?? wanted)
    }

    /// What the bus itself says about names.
    private func follow(_ member: MemberName, _ arguments: [DBusValue], on connection: Connection) {
        let names = arguments.compactMap(\.asString)
        switch member {
        case "NameOwnerChanged" where names.count == 3:
            guard let name = BusName(names[0]) else { return }
            tracked[name]?.owner = BusName(names[2])
            if names[2].isEmpty {
                vanish(name)
            }
        case "NameLost" where names.count == 1:
            if let name = BusName(names[0]), name != connection.uniqueName {
                connection.onNameLost?(name)
            }
        default: break
        }
    }

    private func vanish(_ peer: BusName) {
        for id in peers[peer, default: [:]].keys.sorted() {
            // A handler before this one may have cancelled it; the rule goes with its subscription.
            peers[peer]?[id]?()
        }
    }
}

extension MatchRule {
    /// The sender whose owner has to be known to match: a well-known name other than the bus's.
    fileprivate var trackedSender: BusName? {
        guard let sender, !sender.isUnique, sender != .bus else { return nil }
        return sender
    }

    fileprivate static func ownerChange(of name: BusName) -> MatchRule {
        MatchRule(
            sender: .bus, path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus", member: "NameOwnerChanged",
            firstArgument: name.text)
    }
}

extension Connection {
    /// Calls `handler` for each signal that matches, until the subscription is cancelled or dropped.
    public func subscribe(_ rule: MatchRule, _ handler: @escaping (ReceivedSignal) -> Void) -> Subscription {
        signals.add(rule, on: self, handler)
    }

    /// Calls `vanished` when the peer with this (unique) name has left the bus, also when it had already. Once, unless
    /// the name is a well-known one and comes back.
    public func watch(peer: BusName, _ vanished: @escaping () -> Void) -> Subscription {
        signals.addPeer(peer, on: self, vanished)
    }

    func addMatch(_ rule: MatchRule) {
        guard isOpen else { return }
        call(.toBus("AddMatch", [.string(rule.text)])) { [weak self] result in
            guard case .failure(let error) = result, let self, isOpen, error.name != .noReply else { return }
            onFault("the bus refused the match rule \(rule.text): \(error)")
        }
    }

    func removeMatch(_ rule: MatchRule) {
        guard isOpen else { return }
        call(.toBus("RemoveMatch", [.string(rule.text)])) { _ in }
    }
}
