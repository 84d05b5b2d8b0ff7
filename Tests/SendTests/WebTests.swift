import JSON
import TestSupport
import Testing

/// `botcron-send` and a web server.
@Suite struct WebTests {
    let scratch: ScratchFolder
    let folder: String

    init() throws {
        scratch = try ScratchFolder("botcron-send")
        folder = scratch.path
    }

    /// What became of a call with a body.
    private func post(_ url: String, _ more: JSONObject = [:]) throws -> JSONValue {
        var post: JSONObject = ["url": .string(url), "body": #"{"a": "é"}"#]
        for (key, value) in more { post[key] = value }
        return try SendProgram.answer(["post": .object(post)])
    }

    private func failure(_ reason: String) -> JSONValue { ["outcome": "failed", "reason": .string(reason)] }

    @Test func `a body is posted, and signed by each secret`() throws {
        let server = try TestServer(.web, in: folder)
        let sent = try post(
            "http://127.0.0.1:\(server.port)/ok?x=1", ["id": "msg_1", "secrets": ["whsec_c2VjcmV0LW9uZQ==", "two"]])
        #expect(sent == ["outcome": "sent"])
        let request = try #require(try server.requests.first)
        #expect(request["method"] == "POST" && request["path"] == "/ok?x=1" && request["body"] == #"{"a": "é"}"#)
        let headers = try #require(request["headers"])
        #expect(headers["content-type"] == "application/json" && headers["webhook-id"] == "msg_1")
        #expect(headers["expect"] == nil && headers["user-agent"] == "BotCron")
        // Computed by somebody else.
        let oracle = """
            import base64, hashlib, hmac, json, sys, time
            request = json.load(sys.stdin)
            headers = request["headers"]
            assert abs(time.time() - int(headers["webhook-timestamp"])) < 3600
            signed = ".".join([headers["webhook-id"], headers["webhook-timestamp"], request["body"]]).encode()
            for key in (b"secret-one", b"two"):
                print("v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode())
            """
        let codes = try TestProgram.run(["/usr/bin/python3", "-c", oracle], input: request.compactText)
        #expect(codes.code == 0, "\(codes.errors)")
        let signature = headers["webhook-signature"]?.stringValue ?? ""
        #expect(signature.split(separator: " ") == codes.output.split(separator: "\n"))
    }

    @Test func `an address without a body is called`() throws {
        let server = try TestServer(.web, in: folder)
        let request: JSONValue = ["post": ["url": .string("http://127.0.0.1:\(server.port)/ok")]]
        #expect(try SendProgram.answer(request) == ["outcome": "sent"])
        #expect(try server.requests.map { $0["method"] } == ["GET"])
    }

    @Test(arguments: [(500, "failed"), (404, "failed"), (304, "failed"), (204, "sent"), (299, "sent"), (410, "gone")])
    func `what a status means`(status: Int, outcome: String) throws {
        let server = try TestServer(.web, in: folder)
        let answer = try post("http://127.0.0.1:\(server.port)/status/\(status)")
        #expect(answer["outcome"]?.stringValue == outcome, "\(answer)")
        #expect(outcome == "sent" || answer["reason"]?.stringValue?.hasPrefix("127.0.0.1 answered \(status)") == true)
    }

    @Test func `a way to the same server is taken, with method and body`() throws {
        let server = try TestServer(.web, in: folder)
        #expect(try post("http://127.0.0.1:\(server.port)/same", ["id": "m"]) == ["outcome": "sent"])
        let requests = try server.requests
        #expect(requests.map { $0["path"] } == ["/same", "/ok"] && requests.map { $0["method"] } == ["POST", "POST"])
        #expect(requests[0]["body"] == requests[1]["body"] && requests[1]["headers"]?["webhook-id"] == "m")
    }

    @Test func `a way to another host is not taken, and one without end has one`() throws {
        let server = try TestServer(.web, in: folder)
        #expect(
            try post("http://127.0.0.1:\(server.port)/other")
                == failure("127.0.0.1 answered 307, a way to another place, which is not taken"))
        #expect(
            try post("http://127.0.0.1:\(server.port)/loop")
                == failure("127.0.0.1 leads from one address to another without end"))
        #expect(try server.requests.map { $0["path"] } == ["/other", "/loop", "/loop", "/loop", "/loop"])
    }

    @Test func `only a trusted certificate is spoken to`() throws {
        let certificates = try TestCertificates(in: folder)
        let others = try TestCertificates(in: folder, named: "other")
        let server = try TestServer(.web, in: folder, [certificates.certificate, certificates.key])
        let url = "https://localhost:\(server.port)/ok"
        #expect(try post(url, ["certificates": .string(certificates.authority)]) == ["outcome": "sent"])
        let untrusted = failure("localhost: its certificate is not trusted")
        #expect(try post(url, ["certificates": .string(others.authority)]) == untrusted)
        #expect(try post(url) == untrusted)
        #expect(
            try post(url, ["certificates": .string(folder + "/none")])
                == failure("localhost: the file of trusted certificates cannot be read"))
        #expect(try server.requests.count == 1)
    }

    /// All at once: each of the first two takes the whole of its time.
    @Test func `what does not answer in time has failed, and an endless answer is not read`() throws {
        let server = try TestServer(.web, in: folder)
        let senders = try ["never", "slow", "endless"].map { path in
            try SendProgram.start(["post": ["url": .string("http://127.0.0.1:\(server.port)/\(path)"), "body": "{}"]])
        }
        let answers = try senders.map { try SendProgram.answer(of: $0) }
        let late = failure("127.0.0.1: no answer in time")
        #expect(answers == [late, late, ["outcome": "sent"]])
    }

    @Test func `what cannot be reached says no more than its host`() throws {
        #expect(try post("http://127.0.0.1:1/hook/T0P") == failure("127.0.0.1: no connection to it"))
        #expect(
            try post("https://user:T0P@nobody.invalid/T0P?T0P")
                == failure("nobody.invalid: no host is called so, or its name cannot be looked up now"))
        #expect(try post("file:///T0P") == failure("what is configured is no web address"))
        #expect(try post("http://a b/T0P") == failure("what is configured is no web address"))
    }

    @Test func `without a network it says so`() throws {
        let request: JSONValue = ["post": ["url": "http://192.0.2.1/T0P", "body": "{}"]]
        let done = try TestProgram.run(
            ["unshare", "--map-root-user", "--net", SendProgram.path], input: request.compactText)
        #expect(done.output == failure("192.0.2.1: no connection to it").compactText + "\n", "\(done.errors)")
    }

    @Test(arguments: ["", "{}", #"{"post": {"body": "x"}}"#, #"{"mail": {"url": "smtp://x"}}"#, "[", #"{"post": 1}"#])
    func `what is no request is refused`(text: String) throws {
        let done = try TestProgram.run([SendProgram.path], input: text)
        #expect(done.code == 64 && done.output.isEmpty && done.errors.hasPrefix("botcron-send: there is no request"))
    }

    @Test func `an id with a line end makes no header`() throws {
        let done = try TestProgram.run(
            [SendProgram.path],
            input: JSONValue.object(["post": ["url": "http://127.0.0.1:1/", "body": "", "id": "a\r\nb: c"]]).compactText
        )
        #expect(done.code == 64)
    }
}

/// The program, with nothing in its arguments and environment.
enum SendProgram {
    static let path = TestPlace.built("botcron-send")

    static func start(_ request: JSONValue) throws -> TestProgram {
        try TestProgram([path], environment: [], input: request.compactText)
    }

    static func answer(of program: TestProgram) throws -> JSONValue {
        let done = try program.finish()
        guard done.code == 0, done.errors.isEmpty, done.output.hasSuffix("}\n") else {
            throw TestFailure("botcron-send ended with \(done.code): \(done.output)\(done.errors)")
        }
        return try JSONValue(parsing: done.output)
    }

    static func answer(_ request: JSONValue) throws -> JSONValue { try answer(of: start(request)) }
}
