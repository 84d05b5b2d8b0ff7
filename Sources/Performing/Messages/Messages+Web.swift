internal import Configuration
internal import EventLoop
internal import JSON
internal import Processes
internal import Schedules
internal import Scheduling

/// Messages that leave the machine: what each is made of, and the secrets that it needs.
extension Messages {
    /// So many lines of output a mail has, and so many bytes of them; a heartbeat so many bytes.
    private static let mailLinesMax = 50
    private static let mailBytesMax = 32 << 10
    private static let heartbeatBytesMax = 10 << 10
    /// While one replaces another there are two.
    private static let secretsMax = 10

    // MARK: - Web hooks

    func send(
        _ message: Message, to hook: WebHook, _ body: JSONValue, isSigned: Bool, isProbe: Bool,
        then: @escaping (MessageOutcome) -> Void
    ) {
        var post: JSONObject = ["body": .string(body.compactText)]
        let url: String
        do throws(PrivateFileError) {
            url = try address(of: hook)
            if let file = hook.secretFile { post["secrets"] = .array(try secrets(in: file).map { .string($0) }) }
        } catch {
            return then(.failed(error.description))
        }
        let name = message.target
        let hash = Self.hash(hook, url)
        if !isProbe, let since = gone.since(name, hash: hash) { return then(.refused(Self.offText(name, since))) }
        post["url"] = .string(url)
        if isSigned { post["id"] = .string(message.id) }
        if let file = hook.certificates { post["certificates"] = .string(file) }
        // The programs are this object's own, and call nobody once it is gone.
        programs.send(["post": .object(post)], isUrgent: isProbe) { [unowned self] outcome in
            switch outcome {
            case .sent:
                gone.turnOn(name)
                then(.sent)
            case .failed(let why): then(.failed(why))
            case .gone(let why):
                gone.turnOff(name, hash: hash, at: intake.now)
                log.warning("a target is off", [("BOTCRON_TARGET", name), ("BOTCRON_ERROR", why)])
                then(.refused(why + "; " + Self.offText(name)))
            }
        }
    }

    private static func hash(_ hook: WebHook, _ url: String) -> String {
        GoneTargets.hash([url, hook.secretFile, hook.certificates])
    }

    private static func offText(_ name: String, _ since: String? = nil) -> String {
        let date = since.map { " since \($0), when its server answered 410" } ?? ""
        return "\(name) is off\(date), until its configuration is another or botcronctl notify test \(name) reaches it"
    }

    private func address(of hook: WebHook) throws(PrivateFileError) -> String {
        switch hook.address {
        case .text(let secret): return secret.text
        case .file(let path): return try PrivateFile.lines(path).first ?? ""
        }
    }

    private func secrets(in path: String) throws(PrivateFileError) -> [String] {
        Array(try PrivateFile.lines(path).prefix(Self.secretsMax))
    }

    /// What a web hook is told.
    func webHookBody(of message: Message, run: String) -> JSONValue {
        let words = try? JSONValue(parsing: text(of: message))
        return [
            "type": .string(message.job.isEmpty && message.run.isEmpty ? "test" : "job." + message.occasion.rawValue),
            "timestamp": .string(message.createdAt.rfc3339(in: intake.zone(of: message.job))),
            "data": (try? JSONValue(parsing: run)) ?? .null, "message": words ?? .null,
        ]
    }

    // MARK: - Mail

    func send(
        _ message: Message, to mailbox: Mailbox, isProbe: Bool, then: @escaping (MessageOutcome) -> Void
    ) {
        let mail = mail(of: message, mailbox).text
        let server: MailServer
        switch mailbox.way {
        case .program(let argv): return attempts.tell(message, argv, input: mail, timeout: .seconds(10), then: then)
        case .server(let known): server = known
        }
        var request: JSONObject = [
            "url": .string(server.url), "from": .string(mailbox.from), "to": .array(mailbox.to.map { .string($0) }),
            "tls": .bool(server.needsTLS), "text": .string(mail),
        ]
        do throws(PrivateFileError) {
            if let user = server.user, let file = server.passwordFile {
                request["user"] = .string(user)
                request["password"] = .string(try PrivateFile.lines(file).first ?? "")
            }
        } catch {
            return then(.failed(error.description))
        }
        if let file = server.certificates { request["certificates"] = .string(file) }
        programs.send(["mail": .object(request)], isUrgent: isProbe) { outcome in
            switch outcome {
            case .sent: then(.sent)
            case .failed(let why), .gone(let why): then(.failed(why))
            }
        }
    }

    private func mail(of message: Message, _ mailbox: Mailbox) -> Mail {
        let zone = intake.zone(of: message.job)
        var lines = [message.text, ""]
        if let run = storedRun(message) {
            lines += ["Job:     \(run.job)", "Run:     \(run.id)", "Status:  \(run.status.rawValue)"]
            if let start = run.startedAt { lines.append("Started: \(start.rfc3339(in: zone))") }
            if let start = run.startedAt, let end = run.endedAt {
                lines.append("Took:    \(Double((end - start).wholeMilliseconds) / 1000) s")
            }
            let output = lastLines(of: run, Self.mailLinesMax, bytesMax: Self.mailBytesMax)
            if !output.isEmpty { lines += ["", "The last lines of its output:", "", output] }
        }
        return Mail(
            from: mailbox.from, to: mailbox.to, subject: message.title, body: lines.joined(separator: "\n"),
            id: message.id, date: message.createdAt, zone: zone)
    }

    // MARK: - Heartbeats

    func beat(_ message: Message, then: @escaping (MessageOutcome) -> Void) {
        guard let url = intake.definition(of: message.job)?.heartbeat else {
            return then(.refused("\(message.job) has no heartbeat any more"))
        }
        var output = ""
        if message.occasion == .failure, let run = storedRun(message), run.attempt > 0 {
            let bytes = attempts.outputExcerpt(of: run).bytes.suffix(Self.heartbeatBytesMax)
            output = String(decoding: bytes, as: UTF8.self)
        }
        heartbeats.beat(message, url: url, output: output, then: then)
    }

    // MARK: - What is wrong with them

    /// Targets that are not told for now, in words.
    public var troubles: [String] {
        let targets = settings.targets
        let off = gone.names.compactMap { name -> String? in
            switch targets.usable[name] {
            case .slack(let hook), .webhook(let hook):
                guard let url = try? address(of: hook) else { return nil }
                return gone.since(name, hash: Self.hash(hook, url)).map { Self.offText(name, $0) }
            default: return nil
            }
        }
        return targets.withheld.sorted().filter(settings.isWithheld).map { "\($0) \(Self.waitsForFile)" } + off
    }

    static let waitsForFile = "waits for a good config.json, which alone has its address"
}
