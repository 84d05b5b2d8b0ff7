import DBus
import JSON
import TestSupport
import Testing

/// The contract of the control interface and of the older clients, held by clients that are not ours.
///
/// Each part has a script of steps, which two client libraries perform on a daemon of their own, once; the tests look
/// at what came of the steps. A test is named for the promise that it holds.
@Suite(.ownThread) enum ConformanceTests {}

/// A client library that is not ours.
enum Library: String, CaseIterable, Sendable, CustomTestStringConvertible {
    /// Python over libdbus.
    case pythonDBus = "python-dbus"
    /// Python with a wire protocol of its own.
    case dbusNext = "dbus-next"

    var testDescription: String { rawValue }
}

/// What came of each step of a script.
struct Transcript: Sendable {
    private let steps: JSONObject
    let signals: [Signal]

    struct Signal: Sendable {
        let path: String
        let interface: String
        let member: String
        let arguments: [JSONValue]
    }

    /// What a step was refused with.
    struct Refusal: Sendable {
        let name: String
        let message: String
    }

    init(_ text: String) throws {
        guard let parsed = try? JSONValue(parsing: text), let object = parsed.objectValue else {
            throw TestFailure("no transcript: \(text.prefix(2_000))")
        }
        steps = object
        let heard = steps["signals"]?["value"]?.arrayValue ?? []
        signals = heard.map {
            Signal(
                path: $0.text("path"), interface: $0.text("interface"), member: $0.text("member"),
                arguments: $0["args"]?.arrayValue ?? [])
        }
    }

    /// The answer to a step.
    subscript(step: String) -> JSONValue {
        get throws {
            guard let found = steps[step] else { throw TestFailure("there is no step \(step)") }
            guard let value = found["value"] else { throw TestFailure("\(step) was refused: \(found)") }
            return value
        }
    }

    func refusal(_ step: String) throws -> Refusal {
        guard let found = steps[step] else { throw TestFailure("there is no step \(step)") }
        guard let name = found["error"]?.stringValue else { throw TestFailure("\(step) was not refused: \(found)") }
        return Refusal(name: name, message: found.text("message"))
    }

    /// The signals of the JSON face, without `Event`.
    var plain: [Signal] { signals.filter { $0.interface == Session.interface.text && $0.member != "Event" } }

    /// Arguments of the signals so named.
    func heard(_ member: String) -> [[JSONValue]] { plain.filter { $0.member == member }.map(\.arguments) }

    /// Names of the signals of one run, in order.
    func story(_ executionID: JSONValue?) -> [String] {
        plain.filter { $0.arguments.count > 1 && $0.arguments[1] == executionID }.map(\.member)
    }
}

/// One script, performed by each library on a session of its own.
struct Performance: Sendable {
    private let transcripts: [Library: Result<Transcript, any Error>]

    /// - Parameter prepare: before the daemon is started.
    init(
        jobs: [JSONValue], _ section: JSONObject = ["timezone": "America/New_York"],
        prepare: (Session) throws -> Void = { _ in }, script: String
    ) {
        // Both at once: they wait for different things.
        let begun = Library.allCases.map { library in
            (
                library,
                Result {
                    let session = try Session(jobs: jobs, section)
                    try prepare(session)
                    try session.start()
                    return (session, try Self.begin(script, library, session))
                }
            )
        }
        var transcripts: [Library: Result<Transcript, any Error>] = [:]
        for (library, pair) in begun {
            transcripts[library] = Result {
                let (session, client) = try pair.get()
                guard try session.end(client, seconds: 3 * patience) == 0 else {
                    throw TestFailure("\(library.rawValue): \(client.text)")
                }
                return try Transcript(client.text)
            }
        }
        self.transcripts = transcripts
    }

    subscript(library: Library) -> Transcript {
        get throws {
            guard let transcript = transcripts[library] else { throw TestFailure("nobody performed by \(library)") }
            return try transcript.get()
        }
    }

    private static func begin(_ script: String, _ library: Library, _ session: Session) throws -> Program {
        try Program(
            // -B: nothing is written beside the sources.
            [
                "/usr/bin/python3", "-B", "-E", "-s", TestPlace.package + "/Tests/ForeignClients/perform.py",
                library.rawValue, script,
            ],
            environment: session.environment, on: session.loop)
    }
}

extension JSONValue {
    /// Members of the same name, of each element.
    func each(_ key: String) -> [JSONValue] { arrayValue?.map { $0[key] ?? .null } ?? [] }

    var count: Int { arrayValue?.count ?? 0 }

    /// The second of the pair of a property's type and value.
    func isProperty(_ type: String, _ value: JSONValue) -> Bool { self == [.string(type), value] }

    /// RFC 3339 with an offset, to the second.
    var isInstant: Bool {
        stringValue?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d/) != nil
    }
}
