/// One interface of an exported object, declared once: the declaration drives dispatch, the check of arguments and
/// replies, and introspection. Share one value between objects; handlers learn the object's path from the call.
public struct Interface {
    public let name: InterfaceName
    public let documentation: String
    public let methods: [Method]
    public let signals: [SignalDeclaration]
    public let properties: [Property]
    public let annotations: [Annotation]
    /// Whether a text is taken where a method declares `b` or `i`, if it reads as one: for callers from shells.
    public let takesText: Bool

    private let methodPlaces: [String: Int]
    private let propertyPlaces: [String: Int]

    /// Two members of a kind with one name are our bug.
    public init(
        _ name: InterfaceName, documentation: String = "", methods: [Method] = [], signals: [SignalDeclaration] = [],
        properties: [Property] = [], annotations: [Annotation] = [], takesText: Bool = false
    ) {
        self.name = name
        self.documentation = documentation
        self.methods = methods
        self.signals = signals
        self.properties = properties
        self.annotations = annotations
        self.takesText = takesText
        methodPlaces = Dictionary(uniqueKeysWithValues: methods.enumerated().map { ($1.name.text, $0) })
        propertyPlaces = Dictionary(uniqueKeysWithValues: properties.enumerated().map { ($1.name.text, $0) })
    }

    public func method(_ name: MemberName) -> Method? { methodPlaces[name.text].map { methods[$0] } }
    public func property(_ name: String) -> Property? { propertyPlaces[name].map { properties[$0] } }
    public func signal(_ name: MemberName) -> SignalDeclaration? { signals.first { $0.name == name } }
}

/// A named value of a method or signal.
public struct Argument {
    public let name: String
    public let signature: Signature
    public let documentation: String
    /// Callers may leave it out; then all that follow it are optional too.
    public let isOptional: Bool
    let type: ValueType

    /// The signature is one complete type; anything else is our bug.
    public init(_ name: String, _ signature: Signature, documentation: String = "", isOptional: Bool = false) {
        guard let type = ValueType(signature) else {
            preconditionFailure("the argument \(name) is declared as '\(signature)', which is not one complete type")
        }
        self.name = name
        self.signature = signature
        self.documentation = documentation
        self.isOptional = isOptional
        self.type = type
    }
}

/// What may be said about an interface or a member besides its types.
public struct Annotation: Hashable, Sendable {
    public let name: InterfaceName
    public let value: String

    public init(_ name: InterfaceName, _ value: String) {
        self.name = name
        self.value = value
    }

    public static let deprecated = Annotation("org.freedesktop.DBus.Deprecated", "true")
}

/// A method that callers may call.
public struct Method {
    /// What a call does, and so when it may be answered; see `Connection.gate`.
    public enum Kind: Sendable {
        /// It tells what is.
        case read
        /// It asks for a change. Whatever its handler throws is answered as a read is.
        case request
        /// As above, and it matters who asks.
        case change
        /// It tells how the service itself does: a read that is answered when no other can be.
        case health

        public var isRequest: Bool { self == .request || self == .change }
    }

    public let name: MemberName
    public let kind: Kind
    public let inputs: [Argument]
    public let outputs: [Argument]
    public let documentation: String
    public let annotations: [Annotation]
    let handler: (MethodCall) throws -> Void
    let inputSignature: Signature
    let inputCountMin: Int

    /// The handler answers the call, now or later, or throws an `ErrorReply`; anything else that it throws is a fault
    /// of ours, which callers see as `Failed` without the details.
    public init(
        _ name: MemberName, _ kind: Kind = .read, in inputs: [Argument] = [], out outputs: [Argument] = [],
        documentation: String = "", annotations: [Annotation] = [], _ handler: @escaping (MethodCall) throws -> Void
    ) {
        self.name = name
        self.kind = kind
        self.inputs = inputs
        self.outputs = outputs
        self.documentation = documentation
        self.annotations = annotations
        self.handler = handler
        inputSignature = Signature(trusted: inputs.map(\.signature.text).joined())
        inputCountMin = inputs.prefix { !$0.isOptional }.count
        precondition(
            inputs.dropFirst(inputCountMin).allSatisfy(\.isOptional),
            "the method \(name) declares an argument after an optional one that is not optional")
    }
}

/// A signal that the object may send.
public struct SignalDeclaration {
    public let name: MemberName
    public let arguments: [Argument]
    public let documentation: String
    public let annotations: [Annotation]

    public init(
        _ name: MemberName, _ arguments: [Argument] = [], documentation: String = "", annotations: [Annotation] = []
    ) {
        self.name = name
        self.arguments = arguments
        self.documentation = documentation
        self.annotations = annotations
    }
}

/// A value of an object that clients read, and may set where there is a setter.
public struct Property {
    /// What `PropertiesChanged` does when it changes.
    public enum ChangeSignal: String, Sendable {
        /// Carries the new value.
        case yes = "true"
        /// Names the property only: for large values.
        case invalidates
        /// It never changes.
        case const
        /// It changes without a signal.
        case no = "false"
    }

    /// Gets the call, a value of the declared type, and what is to be called once, when it is set or refused.
    public typealias Setter = (MethodCall, DBusValue, @escaping (ErrorReply?) -> Void) throws -> Void

    public let name: MemberName
    public let signature: Signature
    public let changeSignal: ChangeSignal
    public let documentation: String
    public let annotations: [Annotation]
    let getter: (ObjectPath) throws -> DBusValue
    let setter: Setter?
    let type: ValueType

    public var isWritable: Bool { setter != nil }

    /// `get` and `set` are given the object's path. They throw an `ErrorReply` to refuse. A setter gets a value of the
    /// declared type; saying that it changed is its business.
    public init(
        _ name: MemberName, _ signature: Signature, changeSignal: ChangeSignal = .yes, documentation: String = "",
        annotations: [Annotation] = [], set: ((ObjectPath, DBusValue) throws -> Void)? = nil,
        get: @escaping (ObjectPath) throws -> DBusValue
    ) {
        let setter: Setter? = set.map { set in
            { call, value, done in
                try set(call.path, value)
                done(nil)
            }
        }
        self.init(
            name, signature, changeSignal: changeSignal, documentation: documentation, annotations: annotations,
            setLater: setter, get: get)
    }

    /// As above, for a value that is not set by the time the setter returns: `Set` is answered when it is.
    public init(
        _ name: MemberName, _ signature: Signature, changeSignal: ChangeSignal = .yes, documentation: String = "",
        annotations: [Annotation] = [], setLater setter: Setter?, get: @escaping (ObjectPath) throws -> DBusValue
    ) {
        guard let type = ValueType(signature) else {
            preconditionFailure("the property \(name) is declared as '\(signature)', which is not one complete type")
        }
        self.name = name
        self.signature = signature
        self.changeSignal = changeSignal
        self.documentation = documentation
        self.annotations = annotations
        getter = get
        self.setter = setter
        self.type = type
    }
}

/// An object on the bus: a path and what it can do there. `Peer`, `Introspectable` and `Properties` come by themselves.
public struct ExportedObject {
    public let path: ObjectPath
    public let interfaces: [Interface]
    /// Whether it has `ObjectManager` for everything below it.
    public let isObjectManager: Bool

    public init(_ path: ObjectPath, _ interfaces: [Interface], isObjectManager: Bool = false) {
        self.path = path
        self.interfaces = interfaces
        self.isObjectManager = isObjectManager
    }

    func interface(_ name: String) -> Interface? { interfaces.first { $0.name.text == name } }
}

/// Objects right below one path that are made when somebody asks for them, however many there are.
///
/// Each has a name, any text; its path ends in the name escaped as `ObjectPath.escape` does. Nothing is kept of them
/// here: `Connection.announce` tells object managers of one that came or went.
public struct ObjectSubtree {
    public let path: ObjectPath
    /// The most objects that an object manager gives in one answer.
    let listedMax: Int
    /// What to call where there are more of them, or they are too large: the rest of a sentence.
    let instead: String
    let names: () -> [String]
    let interfaces: (String) -> [Interface]?

    /// - Parameters:
    ///   - names: of all objects, for introspection and object managers.
    ///   - interfaces: of the object so named; nil where there is none.
    public init(
        _ path: ObjectPath, listedMax: Int = .max, instead: String = "ask for the objects one by one",
        names: @escaping () -> [String], interfaces: @escaping (String) -> [Interface]?
    ) {
        self.path = path
        self.listedMax = listedMax
        self.instead = instead
        self.names = names
        self.interfaces = interfaces
    }
}
