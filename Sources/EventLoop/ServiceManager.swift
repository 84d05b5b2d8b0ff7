internal import CSystemd
internal import Glibc

/// What a service tells its manager; without one, every call does nothing. See sd_notify(3).
///
/// Each function returns true when the message was sent.
public enum ServiceManager {
    /// Whether somebody wants to be told (`$NOTIFY_SOCKET` is set).
    public static var isManaged: Bool { getenv("NOTIFY_SOCKET") != nil }

    /// Sends assignments, one a line, such as `READY=1`.
    @discardableResult
    public static func notify(_ state: String) -> Bool {
        sd_notify(0, state) > 0
    }

    /// The service is up.
    @discardableResult
    public static func ready() -> Bool { notify("READY=1") }

    @discardableResult
    public static func stopping() -> Bool { notify("STOPPING=1") }

    /// One line about how it goes; line breaks would start another assignment, so they become spaces.
    @discardableResult
    public static func status(_ line: String) -> Bool {
        notify("STATUS=" + String(line.map { $0.isNewline ? " " : $0 }))
    }
}
