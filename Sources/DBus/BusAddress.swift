internal import CDBus
internal import Glibc

/// Which bus to connect to.
public enum BusAddress: Hashable, Sendable {
    /// `$DBUS_SESSION_BUS_ADDRESS`, else the socket `bus` in `$XDG_RUNTIME_DIR`. None is ever started.
    case session
    /// `$DBUS_SYSTEM_BUS_ADDRESS`, else `/run/dbus/system_bus_socket`.
    case system
    /// An address such as `unix:path=/run/user/1000/bus`.
    case address(String)

    /// The address as libdbus takes it.
    func resolved() throws(DBusError) -> String {
        switch self {
        case .address(let text):
            guard text.hasNoNUL, !text.isEmpty else {
                throw DBusError(
                    .cannotConnect, "cannot connect to the bus '\(text)': needed is an address such as unix:path=/…")
            }
            return text
        case .system:
            return Self.environment("DBUS_SYSTEM_BUS_ADDRESS") ?? "unix:path=/run/dbus/system_bus_socket"
        case .session:
            if let address = Self.environment("DBUS_SESSION_BUS_ADDRESS") { return address }
            guard let folder = Self.environment("XDG_RUNTIME_DIR") else {
                throw DBusError(
                    .cannotConnect,
                    "cannot connect to the session bus: neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR is set; "
                        + "log in to a session, or start one bus with dbus-run-session")
            }
            return "unix:path=" + Self.escaped(folder + "/bus")
        }
    }

    private static func environment(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    private static func escaped(_ text: String) -> String {
        guard let escaped = dbus_address_escape_value(text) else { return text }
        defer { dbus_free(escaped) }
        return String(cString: escaped)
    }
}
