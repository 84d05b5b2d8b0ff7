internal import DBus
internal import EventLoop

/// The notification server of the session (the Desktop Notifications Specification): it may be absent, come late, be
/// started by the bus when it is asked for, or restart. What it can do is asked of each server anew.
///
/// Nobody waits for it: what is shown before a server is there waits here, and whoever asked decides for how long.
public final class Notifications {
    /// Why it was not shown.
    public struct Fault: Error {
        public let message: String
    }

    /// What is shown.
    public struct Note: Sendable {
        public var summary: String
        /// Plain text.
        public var body: String
        /// Names and labels; `default` is a click on the whole.
        public var buttons: [(name: String, label: String)] = []
        public var urgency: UInt8 = 1
        public var isTransient = false
        /// A name of the sound theme.
        public var sound: String?
        /// The number of an earlier one of the same server, whose place it takes.
        public var replaced: UInt32 = 0

        public init(summary: String, body: String) {
            self.summary = summary
            self.body = body
        }
    }

    /// A person has pressed a button; the token lets a window come to the front.
    public var onPressed: (_ number: UInt32, _ button: String, _ token: String?) -> Void = { _, _, _ in }
    /// It is not shown any more.
    public var onClosed: (_ number: UInt32) -> Void = { _ in }
    /// Another server is there (by its unique name), and knows nothing of what the last one showed.
    public var onServer: (_ server: String) -> Void = { _ in }

    /// The unique name of the server; nil while there is none, or it has not said what it can do.
    public private(set) var server: String?

    private enum Limits {
        static let timeoutMSec: Int32 = 5_000
        static let tokensMax = 20
    }

    private static let name: BusName = "org.freedesktop.Notifications"
    private static let path: ObjectPath = "/org/freedesktop/Notifications"
    private static let interface: InterfaceName = "org.freedesktop.Notifications"

    private let icon: String
    private var peer: Peer?
    private weak var connection: Connection?
    private let link: BusLink
    private var capabilities: Set<String> = []
    private var signals: [Subscription] = []
    private var tokens: [UInt32: String] = [:]
    private var isStarting = false
    /// Called when a server is there.
    private var waiting: [() -> Void] = []

    /// - Parameter icon: the name of the program's desktop entry, and of its icon.
    public init(on link: BusLink, icon: String) {
        self.link = link
        self.icon = icon
        // The peer is this object's own, and goes with it.
        peer = Peer(Self.name, on: link) { [unowned self] in serverChanged($0) }
    }

    // MARK: - The server

    private func serverChanged(_ connection: Connection?) {
        server = nil
        signals = []
        tokens = [:]
        self.connection = connection
        guard let connection else { return }
        connection.call(
            RemoteCall(
                .bus, "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetNameOwner", [.string(Self.name.text)])
        ) { [weak self, weak connection] result in
            guard let self, let connection, let owner = (try? result.get())?.first?.asString else { return }
            askCapabilities(of: owner, on: connection)
        }
    }

    private func askCapabilities(of owner: String, on connection: Connection) {
        let call = RemoteCall(
            Self.name, Self.path, Self.interface, "GetCapabilities", startsService: false,
            timeoutMSec: Limits.timeoutMSec)
        connection.call(call) { [weak self, weak connection] result in
            guard let self, let connection, self.connection === connection else { return }
            // One that does not say can do nothing but show a text.
            let words = (try? result.get())?.first?.asArray ?? []
            capabilities = Set(words.compactMap(\.asString))
            server = owner
            listen(on: connection)
            onServer(owner)
            let waiting = waiting
            self.waiting = []
            for show in waiting { show() }
        }
    }

    private func listen(on connection: Connection) {
        func rule(_ member: MemberName) -> MatchRule {
            MatchRule(sender: Self.name, path: Self.path, interface: Self.interface, member: member)
        }
        signals = [
            connection.subscribe(rule("ActivationToken")) { [weak self] signal in
                guard let self, let number = signal.arguments.first?.asUInt32 else { return }
                if tokens.count >= Limits.tokensMax { tokens = [:] }
                tokens[number] = signal.arguments.last?.asString
            },
            connection.subscribe(rule("ActionInvoked")) { [weak self] signal in
                guard let self, let number = signal.arguments.first?.asUInt32,
                    let button = signal.arguments.last?.asString
                else { return }
                onPressed(number, button, tokens.removeValue(forKey: number))
            },
            connection.subscribe(rule("NotificationClosed")) { [weak self] signal in
                guard let self, let number = signal.arguments.first?.asUInt32 else { return }
                onClosed(number)
            },
        ]
    }

    /// Has the bus start a server, where it knows one.
    private func start() {
        guard !isStarting, let connection = link.connection else { return }
        isStarting = true
        let call = RemoteCall(
            .bus, "/org/freedesktop/DBus", "org.freedesktop.DBus", "StartServiceByName",
            [.string(Self.name.text), .uint32(0)])
        // That there is none to be started is nothing to be told: one may come.
        connection.call(call) { [weak self] _ in self?.isStarting = false }
    }

    // MARK: - Showing

    /// Calls back when there is a server; where there is one, at once.
    public func whenThere(_ handler: @escaping () -> Void) {
        guard server == nil else { return handler() }
        waiting.append(handler)
        if connection == nil { start() }
    }

    /// - Parameter then: called once, with the number that the server gave it.
    public func show(_ note: Note, then: @escaping (Result<UInt32, Fault>) -> Void) {
        guard let connection, server != nil else {
            return then(.failure(Fault(message: "it is gone")))
        }
        var hints: [(String, DBusValue)] = [("urgency", .byte(note.urgency)), ("desktop-entry", .string(icon))]
        if note.isTransient { hints.append(("transient", .bool(true))) }
        if let sound = note.sound, capabilities.contains("sound") { hints.append(("sound-name", .string(sound))) }
        let buttons = capabilities.contains("actions") ? note.buttons.flatMap { [$0.name, $0.label] } : []
        let body = capabilities.contains("body-markup") ? Self.escaped(note.body) : note.body
        let call = RemoteCall(
            Self.name, Self.path, Self.interface, "Notify",
            [
                .string("BotCron"), .uint32(note.replaced), .string(icon), .string(note.summary), .string(body),
                .strings(buttons), .properties(hints), .int32(-1),
            ], startsService: false, timeoutMSec: Limits.timeoutMSec)
        connection.call(call) { result in
            switch result {
            case .success(let arguments):
                guard let number = arguments.first?.asUInt32 else {
                    return then(.failure(Fault(message: "it answers without a number")))
                }
                then(.success(number))
            case .failure(let error): then(.failure(Fault(message: error.message)))
            }
        }
    }

    /// Takes away what is shown. Where it is gone already nothing is to be done.
    public func close(_ number: UInt32) {
        guard let connection, server != nil else { return }
        let call = RemoteCall(
            Self.name, Self.path, Self.interface, "CloseNotification", [.uint32(number)], startsService: false,
            timeoutMSec: Limits.timeoutMSec)
        connection.call(call) { _ in }
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            default: result.append(character)
            }
        }
        return result
    }
}
