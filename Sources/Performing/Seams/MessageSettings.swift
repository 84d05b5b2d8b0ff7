public import Configuration

/// What of the settings in force messages need. Given by Settings.
public protocol MessageSettings: AnyObject {
    var targets: MessageTargets { get }
    /// The file of the target `toast`.
    var toastPath: String { get }
}
