internal import JSON
internal import Schedules
internal import Scheduling

/// A change to a job as clients read it.
extension JobChange {
    func json(_ zone: TimeZoneRules) -> JSONValue {
        var (process, executable): (String?, String?)
        if case .process(let name, let path) = author { (process, executable) = (name, path) }
        return [
            "what": .string(what.rawValue),
            "at": .instant(at, zone),
            "until": .instant(until, zone),
            "reason": .optional(reason),
            "by": .string(author.text),
            "by_process": .optional(process),
            "by_executable": .optional(executable),
        ]
    }
}

extension ChangeAuthor {
    /// For people.
    var text: String {
        switch self {
        case .process(let name, let executable?): "\(name) (\(executable))"
        case .process(let name, nil): name
        case .gone(let name): "a client that has left (\(name))"
        case .file(let name): "a change of \(name)"
        case .daemon: "the daemon itself"
        case .unknown: "an unknown client"
        }
    }
}
