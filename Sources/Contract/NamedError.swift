/// An error that others know by a name with points in it.
public protocol NamedError: RawRepresentable<String> {
    /// What stands before `rawValue` in the name, with its point.
    static var prefix: String { get }
}

extension NamedError {
    /// The whole of it, as the bus has it.
    public var name: String { Self.prefix + rawValue }

    /// The error that a name stands for; nil where it is none of these.
    public init?(name: String) {
        guard name.hasPrefix(Self.prefix) else { return nil }
        self.init(rawValue: String(name.dropFirst(Self.prefix.count)))
    }
}
