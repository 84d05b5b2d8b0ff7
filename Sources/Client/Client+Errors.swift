internal import Contract
internal import DBus

/// The daemon, as the bus knows it.
extension BusName { static let daemon = BusName(trusted: Address.busName) }
extension ObjectPath { static let daemon = ObjectPath(trusted: Address.objectPath) }
extension InterfaceName { static let daemon = InterfaceName(trusted: Address.interface) }

extension RemoteCall {
    /// A call to the message bus itself.
    static func toBus(
        _ member: MemberName, _ arguments: [DBusValue], timeoutMSec: Int32? = RemoteCall.timeoutMSecDefault
    ) -> RemoteCall {
        RemoteCall(.bus, "/org/freedesktop/DBus", "org.freedesktop.DBus", member, arguments, timeoutMSec: timeoutMSec)
    }
}

extension ClientError {
    /// What an error that came in place of an answer means.
    ///
    /// - Parameters:
    ///   - waited: seconds since the call.
    ///   - timeoutSeconds: those that it might take; nil: any number.
    init(_ error: ErrorReply, of method: MethodName?, afterSeconds waited: Double, timeoutSeconds: Double?) {
        switch BusError(name: error.name.text) {
        case .serviceUnknown, .nameHasNoOwner: self = .noDaemon
        case .disconnected: self = .disconnected(reason: error.message)
        case .noReply:
            // The bus has one name for both: nobody answered in time, and the one who was asked has gone.
            if let timeoutSeconds, waited >= timeoutSeconds {
                self = .timedOut(method, seconds: timeoutSeconds)
            } else {
                self = .lost(method)
            }
        default: self = .refused(Refused(name: error.name.text), message: error.message)
        }
    }

    /// What the bus said of a daemon that it was to start.
    init(startFailed error: ErrorReply) {
        let name = error.name.text
        switch BusError(name: name) {
        // The bus has no file that says how to start it.
        case .serviceUnknown, .nameHasNoOwner: self = .noDaemon
        case .disconnected: self = .disconnected(reason: error.message)
        case .noReply:
            self = .cannotStart(name: name, reason: "it did not come within \(Int(Client.startSeconds)) s")
        // Of the bus, or of the service manager that it asked: `Spawn.ExecFailed`, `org.freedesktop.systemd1.…`.
        default: self = .cannotStart(name: name, reason: error.message)
        }
    }
}
