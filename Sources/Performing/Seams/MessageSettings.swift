public import Configuration

/// What of the settings in force messages need. Given by Settings.
public protocol MessageSettings: AnyObject {
    var targets: MessageTargets { get }
    /// The daemon's own; nil: none.
    var heartbeat: Heartbeat? { get }
    /// Whether what its target needs stands in config.json alone, and that cannot be read now.
    func isWithheld(_ target: String) -> Bool
    /// The file of the target `toast`.
    var toastPath: String { get }
}
