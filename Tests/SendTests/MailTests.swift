import JSON
import TestSupport
import Testing

/// `botcron-send` and a mail server.
@Suite struct MailTests {
    let scratch: ScratchFolder
    let folder: String
    private static let text = "From: a@x.test\r\nSubject: one\r\n\r\nfirst\r\n..second\r\n"

    init() throws {
        scratch = try ScratchFolder("botcron-send")
        folder = scratch.path
    }

    private func mail(_ url: String, _ more: JSONObject = [:]) throws -> JSONValue {
        var mail: JSONObject = [
            "url": .string(url), "from": "a@x.test", "to": ["b@x.test", "c@x.test"], "text": .string(Self.text),
        ]
        for (key, value) in more { mail[key] = value }
        return try SendProgram.answer(["mail": .object(mail)])
    }

    private func failure(_ reason: String) -> JSONValue { ["outcome": "failed", "reason": .string(reason)] }

    @Test func `a mail goes to all it is for, as it is`() throws {
        let server = try TestServer(.mail, in: folder)
        let url = "smtp://127.0.0.1:\(server.port)"
        #expect(try mail(url, ["tls": false]) == ["outcome": "sent"])
        let taken = try #require(try server.requests.first)
        #expect(taken["from"] == "a@x.test" && taken["to"] == ["b@x.test", "c@x.test"])
        #expect(taken["data"] == .string(Self.text) && taken["tls"] == false)
    }

    @Test func `a server that does not speak TLS is told nothing, where TLS is required`() throws {
        let server = try TestServer(.mail, in: folder, ["login", "me", "T0P"])
        #expect(
            try mail("smtp://127.0.0.1:\(server.port)", ["user": "me", "password": "T0P"])
                == failure("127.0.0.1: it does not speak TLS, which is required"))
        #expect(try server.requests.isEmpty)
    }

    @Test func `TLS begins on the way, with a certificate that is trusted, and then a user logs in`() throws {
        let certificates = try TestCertificates(in: folder)
        let others = try TestCertificates(in: folder, named: "other")
        let server = try TestServer(
            .mail, in: folder, ["tls", certificates.certificate, certificates.key, "login", "me", "T0P"])
        let url = "smtp://localhost:\(server.port)"
        let trusted: JSONObject = ["certificates": .string(certificates.authority), "user": "me"]
        #expect(try mail(url, trusted.with("password", "T0P")) == ["outcome": "sent"])
        let taken = try #require(try server.requests.first)
        #expect(taken["tls"] == true && taken["user"] == "me")
        #expect(
            try mail(url, trusted.with("password", "other"))
                == failure("localhost, which answered 535: it does not take the user and the password"))
        #expect(
            try mail(url, trusted.with("certificates", .string(others.authority)).with("password", "T0P"))
                == failure("localhost: its certificate is not trusted"))
        #expect(try server.requests.count == 1)
    }

    @Test func `a recipient that is refused is a failure`() throws {
        let server = try TestServer(.mail, in: folder, ["refuse", "c@x.test"])
        let answer = try mail("smtp://127.0.0.1:\(server.port)", ["tls": false])
        #expect(answer["outcome"] == "failed")
        #expect(answer["reason"]?.stringValue?.hasPrefix("127.0.0.1, which answered 550: ") == true, "\(answer)")
        #expect(try server.requests.isEmpty)
    }

    @Test func `a server that is not there`() throws {
        #expect(
            try mail("smtp://127.0.0.1:1", ["user": "me", "password": "T0P"])
                == failure("127.0.0.1: no connection to it"))
        #expect(try mail("http://127.0.0.1:1") == failure("what is configured is no address of a mail server"))
    }
}

extension JSONObject {
    fileprivate func with(_ key: String, _ value: JSONValue) -> JSONObject {
        var copy = self
        copy[key] = value
        return copy
    }
}
