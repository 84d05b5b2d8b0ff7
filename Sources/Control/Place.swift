internal import Contract
internal import DBus

/// The names of `Address`, as the bus's types.
enum Place {
    static let root = ObjectPath(trusted: Address.objectPath)
    static let interface = InterfaceName(trusted: Address.interface)
    static let manager = InterfaceName(trusted: Address.managerInterface)
    static let job = InterfaceName(trusted: Address.jobInterface)
    static let run = InterfaceName(trusted: Address.runInterface)
    static let jobs = ObjectPath(trusted: Address.objectPath + "/jobs")
    static let runs = ObjectPath(trusted: Address.objectPath + "/runs")

    static func path(ofJob name: String) -> ObjectPath { jobs.appending(name) }
    static func path(ofRun id: String) -> ObjectPath { runs.appending(id) }

    /// The name of a job or the id of a run that an object stands for.
    static func name(at path: ObjectPath) -> String {
        path.lastUnescaped ?? ""
    }
}
