public import JSON

/// A server of a test's own on loopback, which writes down what it was asked; ended with its object.
///
/// ```swift
/// let server = try TestServer(.web, in: scratch)
/// send("http://127.0.0.1:\(server.port)/status/500")
/// #expect(server.requests.map { $0["path"] } == ["/status/500"])
/// ```
public final class TestServer {
    /// `Tests/Servers` has one file for each, which says what it answers.
    public enum Kind: String, Sendable { case web, mail }

    public let port: Int
    private let log: String
    private let program: TestProgram

    /// - Parameter options: as its file says.
    public init(_ kind: Kind, in folder: String, _ options: [String] = []) throws {
        log = "\(folder)/\(kind.rawValue)-\(UInt32.random(in: 0 ... .max)).log"
        program = try TestProgram(
            ["/usr/bin/python3", "-B", "-E", "-s", "\(TestPlace.package)/Tests/Servers/\(kind.rawValue).py", log]
                + options, errors: .inherited)
        let line = try program.readLine()
        guard let port = Int(line) else { throw TestFailure("the server \(kind.rawValue) says “\(line)”") }
        self.port = port
    }

    /// What it was asked, in order.
    public var requests: [JSONValue] {
        get throws {
            try TestFile.text(log).split(separator: "\n").map { try JSONValue(parsing: String($0)) }
        }
    }
}

/// Certificates of a test's own: of an authority, and one that it has signed for the loopback of this machine.
public struct TestCertificates: Sendable {
    public let authority: String
    public let certificate: String
    public let key: String

    public init(in folder: String, named name: String = "test") throws {
        let stem = "\(folder)/\(name)"
        (authority, certificate, key) = (stem + "-ca.pem", stem + ".pem", stem + ".key")
        let request = [
            "openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
        ]
        let own = ["-keyout", stem + "-ca.key", "-out", authority, "-subj", "/CN=\(name) authority"]
        let leaf = [
            "-keyout", key, "-out", certificate, "-subj", "/CN=localhost", "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1", "-CA", authority, "-CAkey", stem + "-ca.key",
        ]
        for arguments in [own, leaf] {
            let made = try TestProgram.run(request + arguments)
            guard made.code == 0 else { throw TestFailure("openssl: \(made.errors)") }
        }
    }
}
