internal import DBus

/// Where the machine's power comes from, as UPower says: watched as long as this object lives.
public final class Power {
    /// Whether somebody has answered, or is known to be away.
    public var isKnown: Bool { upower?.isKnown ?? false && battery?.isKnown ?? false }
    /// Nil without UPower.
    public private(set) var isOnBattery: Bool?
    /// Of all batteries together; nil without UPower, and where there is no battery.
    public private(set) var batteryPercent: Double?

    private var upower: RemoteProperties?
    private var battery: RemoteProperties?
    private var debounce: Debounce?

    private static let name: BusName = "org.freedesktop.UPower"

    /// - Parameter changed: called when it is known, and after each change.
    public init(_ systemBus: BusLink, changed: @escaping () -> Void) {
        // It is this object's own, and calls nobody once it is gone; so are both that are watched.
        debounce = Debounce(systemBus.loop) { [unowned self] in
            read()
            changed()
        }
        // For those two alone.
        let noticed: () -> Void = { [unowned self] in if isKnown { debounce?.changed() } }
        upower = RemoteProperties(Self.name, "/org/freedesktop/UPower", "org.freedesktop.UPower", on: systemBus) {
            noticed()
        }
        // What UPower makes of all batteries, for those who show one.
        battery = RemoteProperties(
            Self.name, "/org/freedesktop/UPower/devices/DisplayDevice", "org.freedesktop.UPower.Device", on: systemBus
        ) { noticed() }
    }

    private func read() {
        isOnBattery = upower?.values["OnBattery"]?.asBool
        let isPresent = battery?.values["IsPresent"]?.asBool ?? true
        batteryPercent = isPresent ? battery?.values["Percentage"]?.asDouble : nil
    }
}
