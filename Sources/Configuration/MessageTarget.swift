/// Where messages go, as `schedules.notifications` says.
public enum MessageTarget: Sendable, Equatable {
    /// What the session shows.
    case desktop
    /// The file `notifications.json` of the older clients.
    case toast
    /// A folder with a file for each day.
    case memory(directory: String)
    /// A program that reads the message.
    case command([String])

    public enum Kind: String, Sendable, CaseIterable { case desktop, slack, email, memory, webhook, command, toast }

    /// Why a target of this kind cannot be had yet; nil where it can.
    static func unbuilt(_ kind: Kind) -> String? {
        switch kind {
        case .slack, .webhook, .email: "nothing is sent by \(kind.rawValue) yet: name another target"
        case .desktop, .memory, .command, .toast: nil
        }
    }

    /// What is missing where nobody has configured a target of this kind.
    static func absence(_ kind: Kind) -> String? {
        switch kind {
        case .memory: "it has no folder: schedules.notifications.memory.directory names one"
        case .command: "it has no program: schedules.notifications.command.argv names one"
        case .desktop, .toast: nil
        case .slack, .webhook, .email: unbuilt(kind)
        }
    }
}

/// All targets that messages may name.
public struct MessageTargets: Sendable, Equatable {
    /// Those that can be sent to, by name.
    public var usable: [String: MessageTarget] = ["desktop": .desktop, "toast": .toast]
    /// Why the others cannot, by name: not configured, or configured wrong.
    public var faults: [String: String] = [:]
    /// Every job that tells of anything tells it to `toast`, too.
    public var isToastForAll = false

    public init() {
        for kind in MessageTarget.Kind.allCases { faults[kind.rawValue] = MessageTarget.absence(kind) }
    }

    /// Built-in ones first.
    public var names: [String] {
        let builtIn = MessageTarget.Kind.allCases.map(\.rawValue)
        return builtIn + Set(usable.keys).union(faults.keys).subtracting(builtIn).sorted()
    }

    /// Those where each message has a place of its own.
    var logs: Set<String> {
        Set(usable.filter { if case .memory = $0.value { true } else { false } }.keys).union(["memory"])
    }
}
