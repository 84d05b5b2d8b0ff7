public import Scheduling

/// Why the settings did not do what they were asked. Whoever faces clients words it for them.
public enum SettingsError: Error, Sendable, Equatable {
    /// config.json cannot be read, understood or written, or the change is none that it may take.
    case configuration(ConfigurationError)
    /// An argument is none: which, what was found, what would be right.
    case argument(String, found: String, expected: String)
    /// An argument would make the file too large.
    case tooLong(String, bytes: Int, bytesMax: Int)
}

/// What a reload did: names, sorted, and what was refused.
public struct ReloadResult: Sendable, Equatable {
    public var added: [String] = []
    public var changed: [String] = []
    public var removed: [String] = []
    /// Every definition that is refused, of the file and of those that came over the bus.
    public var refused: [RefusedJob] = []

    public init() {}
}
