/// Why something could not be done on our side of the bus.
public struct DBusError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Kind: Sendable {
        /// No address to connect to, or nobody there.
        case cannotConnect
        /// The connection is gone.
        case disconnected
        /// A value that D-Bus cannot carry.
        case invalidValue
        /// Larger or deeper than a named bound.
        case tooLarge
        case outOfMemory
    }

    public let kind: Kind
    /// What was attempted on what, what was found, what would be right.
    public let description: String

    init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    static func outOfMemory(_ attempt: String) -> DBusError {
        DBusError(.outOfMemory, "cannot \(attempt): libdbus found no memory")
    }
}

/// An error as it travels over the bus: what a call was answered with instead of values. Handlers throw it.
public struct ErrorReply: Error, Hashable, Sendable, CustomStringConvertible {
    public let name: ErrorName
    /// One sentence.
    public let message: String

    /// A longer message is cut: it may quote what the caller sent, however long that is.
    public static let messageBytesMax = 8 << 10

    public init(_ name: ErrorName, _ message: String) {
        self.name = name
        self.message =
            message.utf8.count <= Self.messageBytesMax
            ? message : String(decoding: message.utf8.prefix(Self.messageBytesMax), as: UTF8.self) + "…"
    }

    /// A call that failed on our side already.
    init(_ error: DBusError) {
        let name: ErrorName =
            switch error.kind {
            case .disconnected: .disconnected
            case .invalidValue: .invalidArgs
            case .tooLarge: .limitsExceeded
            case .cannotConnect, .outOfMemory: .failed
            }
        self.init(name, error.description)
    }

    public var description: String { "\(name): \(message)" }
}

extension ErrorName {
    public static let failed: ErrorName = "org.freedesktop.DBus.Error.Failed"
    public static let invalidArgs: ErrorName = "org.freedesktop.DBus.Error.InvalidArgs"
    public static let unknownMethod: ErrorName = "org.freedesktop.DBus.Error.UnknownMethod"
    public static let unknownObject: ErrorName = "org.freedesktop.DBus.Error.UnknownObject"
    public static let unknownInterface: ErrorName = "org.freedesktop.DBus.Error.UnknownInterface"
    public static let unknownProperty: ErrorName = "org.freedesktop.DBus.Error.UnknownProperty"
    public static let propertyReadOnly: ErrorName = "org.freedesktop.DBus.Error.PropertyReadOnly"
    public static let limitsExceeded: ErrorName = "org.freedesktop.DBus.Error.LimitsExceeded"
    public static let accessDenied: ErrorName = "org.freedesktop.DBus.Error.AccessDenied"
    public static let noReply: ErrorName = "org.freedesktop.DBus.Error.NoReply"
    public static let disconnected: ErrorName = "org.freedesktop.DBus.Error.Disconnected"
    public static let serviceUnknown: ErrorName = "org.freedesktop.DBus.Error.ServiceUnknown"
    public static let nameHasNoOwner: ErrorName = "org.freedesktop.DBus.Error.NameHasNoOwner"
}
