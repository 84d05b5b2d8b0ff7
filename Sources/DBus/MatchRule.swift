/// Which signals to be told. Name sender, path and interface: what matches everything wakes for everything.
public struct MatchRule: Hashable, Sendable {
    /// A well-known name means whoever owns it at the time.
    public var sender: BusName?
    public var path: ObjectPath?
    public var interface: InterfaceName?
    public var member: MemberName?
    /// The first argument, a string.
    public var firstArgument: String?

    public init(
        sender: BusName? = nil, path: ObjectPath? = nil, interface: InterfaceName? = nil, member: MemberName? = nil,
        firstArgument: String? = nil
    ) {
        self.sender = sender
        self.path = path
        self.interface = interface
        self.member = member
        self.firstArgument = firstArgument
    }

    /// The rule as the bus takes it.
    var text: String {
        var text = "type='signal'"
        if let sender { text += ",sender='\(sender)'" }
        if let path { text += ",path='\(path)'" }
        if let interface { text += ",interface='\(interface)'" }
        if let member { text += ",member='\(member)'" }
        if let firstArgument {
            text +=
                ",arg0='"
                + firstArgument.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
        }
        return text
    }
}

/// A signal that arrived.
public struct ReceivedSignal: Sendable {
    public let sender: BusName?
    public let path: ObjectPath
    public let interface: InterfaceName
    public let member: MemberName
    public let arguments: [DBusValue]
}

/// Signals, or the end of a peer, that somebody wants to hear of. It ends with this object, or by `cancel()`.
public final class Subscription {
    private var onCancel: (() -> Void)?

    init(onCancel: @escaping () -> Void) {
        self.onCancel = onCancel
    }

    deinit {
        cancel()
    }

    /// The handler is not called any more.
    public func cancel() {
        let action = onCancel
        onCancel = nil
        action?()
    }
}
