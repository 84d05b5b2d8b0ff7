internal import CDBus

/// A string that D-Bus restricts, checked once in `init` and trusted afterwards: libdbus aborts the process when it is
/// given a bad one.
///
/// A literal must be right (a wrong one is our bug, and traps); everything else goes through the failing `init`.
public protocol ValidatedName: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    var text: String { get }

    /// Nil where D-Bus refuses the text.
    init?(_ text: String)

    /// For what libdbus or `isValid` has checked already.
    init(trusted text: String)
    static func isValid(_ text: String) -> Bool
}

extension ValidatedName {
    public init?(_ text: String) {
        guard Self.isValid(text) else { return nil }
        self.init(trusted: text)
    }

    public init(stringLiteral text: String) {
        precondition(Self.isValid(text), "\"\(text)\" in the source is no \(Self.self)")
        self.init(trusted: text)
    }

    public var description: String { text }
}

/// A connection's name: unique (`:1.5`) or well-known (`org.example.Thing`); at most 255 bytes.
public struct BusName: ValidatedName {
    public let text: String
    public init(trusted text: String) { self.text = text }
    public static func isValid(_ text: String) -> Bool { text.passes { dbus_validate_bus_name($0, nil) } }

    public var isUnique: Bool { text.utf8.first == UInt8(ascii: ":") }

    /// The message bus itself.
    public static let bus: BusName = "org.freedesktop.DBus"
}

/// The name of an interface: dotted, at most 255 bytes.
public struct InterfaceName: ValidatedName {
    public let text: String
    public init(trusted text: String) { self.text = text }
    public static func isValid(_ text: String) -> Bool { text.passes { dbus_validate_interface($0, nil) } }
}

/// The name of a method, signal or property: letters, digits, `_`; at most 255 bytes.
public struct MemberName: ValidatedName {
    public let text: String
    public init(trusted text: String) { self.text = text }
    public static func isValid(_ text: String) -> Bool { text.passes { dbus_validate_member($0, nil) } }
}

/// The name of an error: as an interface name.
public struct ErrorName: ValidatedName {
    public let text: String
    public init(trusted text: String) { self.text = text }
    public static func isValid(_ text: String) -> Bool { text.passes { dbus_validate_error_name($0, nil) } }
}

/// The path of an object: `/`, or elements of `[A-Za-z0-9_]`, each after a slash.
public struct ObjectPath: ValidatedName {
    public let text: String
    public init(trusted text: String) { self.text = text }
    public static func isValid(_ text: String) -> Bool { text.passes { dbus_validate_path($0, nil) } }

    public static let root: ObjectPath = "/"

    /// The path below this one whose last element is `element` escaped, so that any text makes a valid path.
    public func appending(_ element: String) -> ObjectPath {
        ObjectPath(trusted: (self == .root ? "" : text) + "/" + Self.escape(element))
    }

    /// Whether `other` is below this path, however deep.
    public func contains(_ other: ObjectPath) -> Bool {
        guard self != .root else { return other != .root }
        return other.text.utf8.count > text.utf8.count && other.text.hasPrefix(text)
            && other.text.utf8.dropFirst(text.utf8.count).first == UInt8(ascii: "/")
    }

    /// Any text as one element, as sd_bus_path_encode(3) does: `_` and two hexadecimal digits for each byte other than
    /// `A-Z a-z 0-9`, also for a digit in front; a lone `_` for the empty text.
    public static func escape(_ element: String) -> String {
        guard !element.isEmpty else { return "_" }
        var bytes: [UInt8] = []
        for (index, byte) in element.utf8.enumerated() {
            if isPlain(byte, isFirst: index == 0) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "_"), hexDigit(byte >> 4), hexDigit(byte & 15)]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The text that `escape` made the element from; nil where it made no such element.
    public static func unescape(_ element: String) -> String? { unescape(element.utf8) }

    /// As above, of the last element of the path.
    public var lastUnescaped: String? {
        Self.unescape(text.utf8.lastIndex(of: UInt8(ascii: "/")).map { text.utf8[$0...].dropFirst() } ?? text.utf8[...])
    }

    private static func unescape(_ element: some Collection<UInt8>) -> String? {
        if element.elementsEqual(CollectionOfOne(UInt8(ascii: "_"))) { return "" }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(element.count)
        var rest = element.makeIterator()
        while let byte = rest.next() {
            guard byte == UInt8(ascii: "_") else {
                guard isPlain(byte, isFirst: bytes.isEmpty) else { return nil }
                bytes.append(byte)
                continue
            }
            guard let high = rest.next().flatMap(nibble), let low = rest.next().flatMap(nibble) else { return nil }
            // `escape` writes as it is what can be.
            guard !isPlain(high << 4 | low, isFirst: bytes.isEmpty) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes.isEmpty ? nil : String(validating: bytes, as: UTF8.self)
    }

    private static func isPlain(_ byte: UInt8, isFirst: Bool) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): !isFirst
        default: false
        }
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    private static func hexDigit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
    }
}

extension String {
    /// Gives the text to a C validator, which stops at a NUL: with one inside, nothing passes.
    func passes(_ validator: (UnsafePointer<CChar>) -> dbus_bool_t) -> Bool {
        withCString { isFree(ofNULAt: $0) && validator($0) != 0 }
    }

    /// Whether D-Bus can carry the text; a Swift string is always valid UTF-8, but may hold a NUL.
    var hasNoNUL: Bool { withCString { isFree(ofNULAt: $0) } }

    private func isFree(ofNULAt start: UnsafePointer<CChar>) -> Bool {
        cStringLength(start) == utf8.count
    }
}
