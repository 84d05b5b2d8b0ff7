/// A method call to somebody else.
public struct RemoteCall: Sendable {
    /// As long as an ordinary call may take, libdbus's own default; in ms.
    public static let timeoutMSecDefault: Int32 = 25_000

    public var destination: BusName
    public var path: ObjectPath
    public var interface: InterfaceName?
    public var member: MemberName
    public var arguments: [DBusValue]
    /// Whether the bus may start the destination for this. Off for who only wishes to ask.
    public var startsService: Bool
    /// How long to wait for the reply; nil: for as long as the connection lives.
    public var timeoutMSec: Int32?

    public init(
        _ destination: BusName, _ path: ObjectPath, _ interface: InterfaceName?, _ member: MemberName,
        _ arguments: [DBusValue] = [], startsService: Bool = true, timeoutMSec: Int32? = timeoutMSecDefault
    ) {
        self.destination = destination
        self.path = path
        self.interface = interface
        self.member = member
        self.arguments = arguments
        self.startsService = startsService
        self.timeoutMSec = timeoutMSec
    }

    /// A call to the message bus itself.
    static func toBus(_ member: MemberName, _ arguments: [DBusValue] = []) -> RemoteCall {
        RemoteCall(.bus, "/org/freedesktop/DBus", "org.freedesktop.DBus", member, arguments)
    }
}
