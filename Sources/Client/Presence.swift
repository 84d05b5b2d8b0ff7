/// Whether the daemon is on the bus.
public enum Presence: Hashable, Sendable {
    /// Not looked for yet.
    case unknown
    case away
    /// By its unique name, which another daemon, or the same one started again, does not have.
    case here(owner: String)

    public var owner: String? { if case .here(let owner) = self { owner } else { nil } }
}

/// Whose process the daemon is; nil where the bus cannot tell.
public struct DaemonProcess: Hashable, Sendable {
    public let user: UInt32?
    /// A hint only: the process may have ended since.
    public let pid: UInt32?
}
