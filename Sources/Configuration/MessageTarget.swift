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
    /// A web hook of a chat, which takes words.
    case slack(WebHook)
    /// A web hook that takes the run.
    case webhook(WebHook)
    case email(Mailbox)

    public enum Kind: String, Sendable, CaseIterable { case desktop, slack, email, memory, webhook, command, toast }

    /// What is missing where nobody has configured a target of this kind.
    static func absence(_ kind: Kind) -> String? {
        let place = "schedules.notifications.\(kind.rawValue)"
        return switch kind {
        case .memory: "it has no folder: \(place).directory names one"
        case .command: "it has no program: \(place).argv names one"
        case .slack: "it has no address: \(place).webhook, or webhook_file beside it, says it"
        case .webhook: "it has no address: \(place).url says it"
        case .email: "it has no address: \(place).to says it"
        case .desktop, .toast: nil
        }
    }
}

/// A web address that is called for a message.
public struct WebHook: Sendable, Equatable {
    /// Whoever knows it can write there.
    public enum Address: Sendable, Equatable {
        case text(Secret)
        /// A private file that holds it.
        case file(String)
    }

    public var address: Address
    /// A private file: what each message is signed with, a secret a line.
    public var secretFile: String?
    /// A file of certificates that are trusted, in place of the machine's.
    public var certificates: String?

    public init(_ address: Address) { self.address = address }
}

/// To whom mail is sent, and by what.
public struct Mailbox: Sendable, Equatable {
    public enum Way: Sendable, Equatable {
        /// A program that reads the whole message.
        case program([String])
        case server(MailServer)
    }

    public var to: [String]
    public var from: String
    public var way: Way

    public init(to: [String], from: String, way: Way) {
        self.to = to
        self.from = from
        self.way = way
    }
}

public struct MailServer: Sendable, Equatable {
    /// `smtp://` or `smtps://`, without a user.
    public var url: String
    public var user: String?
    /// A private file: its first line is the password.
    public var passwordFile: String?
    public var needsTLS = true
    /// A file of certificates that are trusted, in place of the machine's.
    public var certificates: String?

    public init(url: String) { self.url = url }
}

/// A text that no message, log line or test prints: three stars stand for it.
public struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public let text: String

    public init(_ text: String) { self.text = text }

    public var description: String { "***" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// All targets that messages may name.
public struct MessageTargets: Sendable, Equatable {
    /// Those that can be sent to, by name.
    public var usable: [String: MessageTarget] = ["desktop": .desktop, "toast": .toast]
    /// Why the others cannot, by name: not configured, or configured wrong.
    public var faults: [String: String] = [:]
    /// Those of the others whose secret is not in the text that was read: it has stars in its place.
    public var withheld: Set<String> = []
    /// Those of the kind `slack`, whether they can be had or not.
    var chats: Set<String> = ["slack"]
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

    /// Those that are told of successes where nobody says: what is read later interrupts nobody.
    var toldOfSuccesses: Set<String> { logs.union(chats) }
}
