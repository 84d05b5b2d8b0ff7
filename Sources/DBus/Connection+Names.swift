internal import CDBus

/// What came of asking for a name.
public enum NameRequestResult: Hashable, Sendable {
    case primaryOwner
    case alreadyOwner
    /// Waiting behind the owner.
    case inQueue
    /// Somebody else owns it; `Connection.owner(of:)` tells who.
    case exists
    case failed(ErrorReply)
}

/// How to ask for a name.
public struct NameRequestFlags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    public static let allowReplacement = NameRequestFlags(rawValue: UInt32(DBUS_NAME_FLAG_ALLOW_REPLACEMENT))
    public static let replaceExisting = NameRequestFlags(rawValue: UInt32(DBUS_NAME_FLAG_REPLACE_EXISTING))
    public static let doNotQueue = NameRequestFlags(rawValue: UInt32(DBUS_NAME_FLAG_DO_NOT_QUEUE))
}

/// Who owns a name.
public struct NameOwner: Hashable, Sendable {
    public let uniqueName: BusName
    /// A hint only: the process may have ended since. Nil where the bus cannot tell.
    public let pid: UInt32?
}

extension Connection {
    /// Asks for a well-known name. Own it after the objects are exported: the first call may come at once.
    public func requestName(
        _ name: BusName, _ flags: NameRequestFlags = .doNotQueue, _ done: @escaping (NameRequestResult) -> Void
    ) {
        call(.toBus("RequestName", [.string(name.text), .uint32(flags.rawValue)])) { result in
            switch result {
            case .failure(let error): done(.failed(error))
            case .success(let values):
                switch Int32(bitPattern: values.first?.asUInt32 ?? 0) {
                case DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER: done(.primaryOwner)
                case DBUS_REQUEST_NAME_REPLY_ALREADY_OWNER: done(.alreadyOwner)
                case DBUS_REQUEST_NAME_REPLY_IN_QUEUE: done(.inQueue)
                case DBUS_REQUEST_NAME_REPLY_EXISTS: done(.exists)
                default: done(.failed(ErrorReply(.failed, "RequestName answered \(values)")))
                }
            }
        }
    }

    /// Who owns `name`, with its process where the bus knows it; nil where nobody does.
    public func owner(of name: BusName, _ done: @escaping (NameOwner?) -> Void) {
        call(.toBus("GetNameOwner", [.string(name.text)])) { [weak self] result in
            guard case .success(let values) = result, let text = values.first?.asString, let owner = BusName(text)
            else {
                return done(nil)
            }
            guard let self else { return done(NameOwner(uniqueName: owner, pid: nil)) }
            pid(of: owner) { done(NameOwner(uniqueName: owner, pid: $0)) }
        }
    }

    /// The process behind a name, as it was when it connected; a hint only.
    public func pid(of name: BusName, _ done: @escaping (UInt32?) -> Void) {
        call(.toBus("GetConnectionUnixProcessID", [.string(name.text)])) { result in
            done((try? result.get())?.first?.asUInt32)
        }
    }
}
