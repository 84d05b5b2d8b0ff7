public import JSON
import Scheduling

/// Where messages go: the object `schedules.notifications`.
extension ConfigurationReader {
    /// What of config.json is shown to nobody, and kept nowhere else: the addresses of web hooks, and passwords that
    /// somebody wrote where none belongs.
    public static let secrets: JSONMask = {
        let targets = [["slack"], ["webhook"], ["email"], ["targets", "*"]].map {
            ["schedules", "notifications"] + $0
        }
        let keys = [["webhook"], ["url"], ["secret"], ["password"], ["smtp", "password"]]
        return JSONMask(
            targets.flatMap { target in keys.map { target + $0 } }, addresses: targets.map { $0 + ["smtp", "url"] })
    }()

    /// The keys of each kind, but for `type`.
    private static let targetKeys: [MessageTarget.Kind: [String]] = [
        .desktop: [], .toast: [], .memory: ["directory"], .command: ["argv"],
        .slack: ["webhook", "webhook_file", "ca_file"], .webhook: ["url", "secret_file", "ca_file"],
        .email: ["to", "from", "sendmail", "smtp"],
    ]
    private static let allTargetKeys = MessageTarget.Kind.allCases.flatMap { targetKeys[$0] ?? [] }
    private static let serverVocabulary = Vocabulary(["url", "user", "password_file", "tls", "insecure", "ca_file"])

    /// The object `schedules.notifications`. A target that is wrong is the trouble of those who name it: it is noted,
    /// and the section stands.
    func readTargets(_ field: Field, into configuration: inout Configuration) throws(FieldError) {
        for entry in try field.members("an object: the settings of each target") where !entry.value.isNull {
            if entry.key == "targets" {
                for own in try entry.members("an object: name → the settings of a target") where !own.value.isNull {
                    // Also of one that waits for its address: what a job tells does not hang on that.
                    let isChat = own.value["type"]?.stringValue == MessageTarget.Kind.slack.rawValue
                    if isChat { configuration.targets.chats.insert(own.key) }
                    note(own, named: own.key, in: &configuration) { () throws(FieldError) in try readOwnTarget(own) }
                }
                continue
            }
            guard let kind = MessageTarget.Kind(rawValue: entry.key) else {
                guard !entry.key.hasPrefix("x-") else { continue }
                let words = MessageTarget.Kind.allCases.map(\.rawValue) + ["targets"]
                configuration.warnings.append(
                    "\(entry.path.pathText): no target is called so; there are \(words.joined(separator: ", "))")
                continue
            }
            if kind == .toast, let isForAll = entry.value.boolValue {
                configuration.targets.isToastForAll = isForAll
                continue
            }
            note(entry, named: kind.rawValue, in: &configuration) { () throws(FieldError) in
                try readTarget(entry, kind)
            }
        }
    }

    private func note(
        _ entry: Field, named name: String, in configuration: inout Configuration,
        reading: () throws(FieldError) -> MessageTarget
    ) {
        do {
            configuration.targets.usable[name] = try reading()
            configuration.targets.faults[name] = nil
        } catch {
            configuration.targets.usable[name] = nil
            configuration.targets.faults[name] = error.message
            if [entry.value["webhook"], entry.value["url"], entry.value["smtp"]?["url"]].contains(Self.stars) {
                configuration.targets.withheld.insert(name)
            }
            configuration.warnings.append(error.message)
        }
    }

    private func readOwnTarget(_ field: Field) throws(FieldError) -> MessageTarget {
        if MessageTarget.Kind(rawValue: field.key) != nil || field.key == Message.heartbeatTarget {
            throw field.refusal("\"\(field.key)\" is the name of a target that is built in; take another")
        }
        let kinds = MessageTarget.Kind.allCases.map(\.rawValue).joined(separator: ", ")
        let fields = try Fields(field, Vocabulary(["type"] + Self.allTargetKeys))
        guard let type = fields["type"] else {
            throw FieldError(path: fields.path(of: "type"), "missing; it says what the target is, one of \(kinds)")
        }
        let kind = try type.word(MessageTarget.Kind.self)
        guard kind != .desktop, kind != .toast else {
            throw type.refusal("there is one \(kind.rawValue), and it is built in")
        }
        return try readTarget(field, kind)
    }

    private func readTarget(_ field: Field, _ kind: MessageTarget.Kind) throws(FieldError) -> MessageTarget {
        let fields = try Fields(field, Vocabulary(["type"] + (Self.targetKeys[kind] ?? [])))
        switch kind {
        case .desktop: return .desktop
        case .toast: return .toast
        case .memory:
            let folder = try fields.required("directory", "it is the folder of the files")
            return .memory(directory: try folder.path(home: home))
        case .command: return .command(try fields.required("argv", "it is the program and its arguments").argv())
        case .slack: return .slack(try readWebHook(fields, fields["webhook"], file: fields["webhook_file"]))
        case .webhook:
            let url = try fields.required("url", "it is the address that is called")
            var hook = try readWebHook(fields, url, file: nil)
            hook.secretFile = try fields["secret_file"]?.secretPath(home: home)
            return .webhook(hook)
        case .email: return .email(try readMailbox(fields))
        }
    }

    // MARK: - Web hooks

    private static let stars = JSONValue.string(JSONMask.stars)

    private func readWebHook(_ fields: Fields, _ text: Field?, file: Field?) throws(FieldError) -> WebHook {
        var hook: WebHook
        switch (text, file) {
        case (let text?, nil): hook = WebHook(.text(Secret(try text.webAddress())))
        case (nil, let file?): hook = WebHook(.file(try file.secretPath(home: home)))
        case (nil, nil): throw FieldError(path: fields.path(of: "webhook"), "missing; it is the address that is called")
        case (_?, let file?): throw file.refusal("says the same as webhook; give one of them")
        }
        hook.certificates = try fields["ca_file"]?.path(home: home)
        return hook
    }

    // MARK: - Mail

    private func readMailbox(_ fields: Fields) throws(FieldError) -> Mailbox {
        let to = try fields.required("to", "it is whom mail goes to")
        var addresses: [String] = []
        for element in to.value.arrayValue == nil ? [to] : try to.elements(of: "mail addresses") {
            addresses.append(try element.mailAddress())
        }
        guard let first = addresses.first else { throw to.refusal(expected: "at least one mail address") }
        let from = try fields["from"]?.mailAddress() ?? first
        switch (fields["sendmail"], fields["smtp"]) {
        case (let program?, nil): return Mailbox(to: addresses, from: from, way: .program(try program.argv()))
        case (nil, let server?): return Mailbox(to: addresses, from: from, way: .server(try readMailServer(server)))
        case (nil, nil):
            throw FieldError(
                path: fields.path(of: "smtp"), "missing; it is the server that mail is given to, or sendmail a program")
        case (_?, let server?): throw server.refusal("mail goes one way: give sendmail or smtp")
        }
    }

    private enum TLSWord: String, CaseIterable { case required, none }

    private func readMailServer(_ field: Field) throws(FieldError) -> MailServer {
        let fields = try Fields(field, Self.serverVocabulary)
        let url = try fields.required("url", "it is the server, such as smtps://mail.example.org")
        let host = try url.mailServerHost()
        var server = MailServer(url: url.value.stringValue ?? "")
        server.user = try fields["user"]?.nonEmptyString(expected: "the name of a user")
        server.passwordFile = try fields["password_file"]?.secretPath(home: home)
        if let user = fields["user"], server.passwordFile == nil {
            throw user.refusal("needs password_file, a file that holds the password")
        }
        if let file = fields["password_file"], server.user == nil {
            throw file.refusal("needs user, the name that logs in")
        }
        server.certificates = try fields["ca_file"]?.path(home: home)
        let isInsecure = try fields["insecure"]?.bool() ?? false
        guard let tls = fields["tls"], try tls.word(TLSWord.self) == .none else { return server }
        guard !server.url.hasPrefix("smtps:") else { throw tls.refusal("contradicts smtps://, which is TLS") }
        guard isInsecure || Field.isLoopback(host) else {
            throw tls.refusal(
                "mail and password would cross the network in the clear; if that is meant, say insecure: true")
        }
        server.needsTLS = false
        return server
    }

    // MARK: - The daemon's own heartbeat

    private static let heartbeatVocabulary = Vocabulary(["url", "every"])
    private static let heartbeatLeast: Duration = .seconds(10)

    func readHeartbeat(_ field: Field) throws(FieldError) -> Heartbeat {
        let fields = try Fields(field, Self.heartbeatVocabulary)
        let url = try fields.required("url", "it is the address that is called").webAddress()
        var heartbeat = Heartbeat(url: url)
        if let every = fields["every"] { heartbeat.every = try every.duration(atLeast: Self.heartbeatLeast) }
        return heartbeat
    }
}

/// The daemon's own sign of life: an address that is called for as long as it lives.
public struct Heartbeat: Sendable, Equatable {
    public var url: String
    public var every: Duration = .seconds(300)

    public init(url: String) { self.url = url }
}

extension Fields {
    func required(_ key: String, _ meaning: String) throws(FieldError) -> Field {
        guard let field = self[key] else { throw FieldError(path: path(of: key), "missing; \(meaning)") }
        return field
    }
}

extension Field {
    /// An address of the web. What was found in its place may be the secret, and is not shown.
    func webAddress() throws(FieldError) -> String {
        let expected = "expected a URL that begins with https:// or http://"
        guard value.stringValue != JSONMask.stars else {
            throw refusal("three stars stand for an address that is not shown; write the address itself")
        }
        let text = value.stringValue ?? ""
        guard let scheme = ["https://", "http://"].first(where: text.hasPrefix) else { throw refusal(expected) }
        let rest = text.dropFirst(scheme.count)
        let isWhole = text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }
        guard isWhole, let first = rest.utf8.first, !"/?#".utf8.contains(first) else {
            throw refusal(expected + ", with a host and without blanks")
        }
        return text
    }

    /// The path of a file that holds a secret. Who writes the secret itself in its place does not find it in the log.
    func secretPath(home: String) throws(FieldError) -> String {
        do {
            return try path(home: home)
        } catch {
            throw refusal("expected the path of a file, an absolute one, or one that begins with ~/")
        }
    }

    /// A bare mail address, as it stands between < and >.
    func mailAddress() throws(FieldError) -> String {
        let text = try string(expected: "a mail address")
        let isBare = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"<>()[],;:\\\"".utf8.contains($0) }
        guard !text.isEmpty, isBare, !text.hasPrefix("-"), text.utf8.count(where: { $0 == UInt8(ascii: "@") }) <= 1,
            !text.hasPrefix("@"), !text.hasSuffix("@")
        else { throw refusal(expected: "a bare mail address, such as ada@example.org") }
        return text
    }

    /// The host of a mail server's address.
    func mailServerHost() throws(FieldError) -> Substring {
        guard value.stringValue != JSONMask.stars else {
            throw refusal("three stars stand for an address that is not shown; write the address itself")
        }
        let text = value.stringValue ?? ""
        guard let scheme = ["smtps://", "smtp://"].first(where: text.hasPrefix) else {
            throw refusal("expected a URL that begins with smtps:// or smtp://")
        }
        let place = text.dropFirst(scheme.count)
        // What stands before an @ would be a user and a password.
        guard !place.contains("@") else { throw refusal("names a user: that is what user and password_file are for") }
        let isPlain = place.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "-._:[]".utf8.contains(byte)
        }
        guard !place.isEmpty, isPlain else {
            throw refusal("expected a host, and a port where it is another than usual")
        }
        if place.hasPrefix("[") { return place.prefix { $0 != "]" }.dropFirst() }
        return place.prefix { $0 != ":" }
    }

    /// Whether nothing that is said to that host leaves this machine.
    static func isLoopback(_ host: Substring) -> Bool {
        if host.lowercased() == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return parts.count == 4 && parts[0] == 127 && !parts.contains(nil)
    }
}
