import DBus
import Glibc
import JSON
import TestSupport
import Testing

/// Notifications on screens, by servers of two makes. What they show is left as pictures in `.build/pictures`.
@Suite(.serialized) struct NotificationServerTests {
    struct Server: Sendable, CustomTestStringConvertible {
        let name: String
        let path: String
        var testDescription: String { name }
    }

    static let servers = [
        Server(name: "dunst", path: "/usr/bin/dunst"),
        Server(name: "notification-daemon", path: "/usr/lib/notification-daemon/notification-daemon"),
    ]

    /// A screen, and a server on it.
    private final class Screen {
        private let session: Session
        private let name: String
        private let screen: Program
        private let server: Program

        init(_ session: Session, _ server: Server) throws {
            self.session = session
            name = server.name
            screen = try Program(
                [
                    "sh", "-c",
                    "exec Xvfb -displayfd 1 -screen 0 640x480x24 -nolisten tcp -fbdir \(session.scratch.path) 2>/dev/null",
                ],
                environment: session.environment, on: session.loop)
            try session.wait("an X server") { [screen] in screen.output.contains(UInt8(ascii: "\n")) }
            let display = ":" + screen.text.split(separator: "\n")[0]
            self.server = try Program(
                [server.path], environment: session.environment.merging(["DISPLAY": display]) { $1 }, on: session.loop)
            try session.wait("the server's name") {
                let call = RemoteCall(
                    "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner",
                    ["org.freedesktop.Notifications"])
                return try session.reply(call).get().first == .bool(true)
            }
        }

        /// Takes a picture; a sum over its pixels, 0 where the screen is empty.
        func picture(_ scene: String) throws -> Int {
            let folder = TestPlace.package + "/.build/pictures"
            let outcome = try TestProgram.run([
                "sh", "-c",
                "mkdir -p \(folder) && python3 \(TestPlace.package)/Tests/Servers/screen.py "
                    + "\(session.scratch.path)/Xvfb_screen0 \(folder)/\(name)-\(scene).png",
            ])
            return try #require(outcome.output.split(separator: "\n").first.flatMap { Int($0) }, "\(outcome)")
        }

        /// Until something is shown that was not, and stays: what a server draws, and when, is its own.
        func shows(_ scene: String, otherThan known: Int = 0) throws -> Int {
            var shown = known
            try session.look(for: "\(scene) on the screen of \(name)") {
                let before = shown
                shown = try picture(scene)
                return shown == before && shown != known && shown != 0
            }
            return shown
        }

        func isAlive() -> Bool { server.code == nil }
    }

    private static func jobs() -> [JSONValue] {
        [
            [
                "name": "told", "command": "echo 'cannot open <b>notes</b> & more'; test -e ~/well",
                "notify": ["desktop"],
            ],
            [
                "name": "storm", "command": ["false"], "notify": ["desktop"], "overlap_policy": "allow",
                "max_instances": 40,
            ],
            ["name": "silent", "command": ["sleep", "100"], "stall_timeout": 0.3, "notify": ["desktop"]],
            [
                "name": "agent", "notify": ["desktop"],
                "command":
                    #"echo 'ask {"question": "May I push?", "choices": ["Yes", "No"]}' >&$BOTCRON_CONTEXT_FD; sleep 100"#,
            ],
        ]
    }

    @Test(arguments: servers) func eachKindOfMessageIsShown(by server: Server) throws {
        try #require(access(server.path, X_OK) == 0, "\(server.path) is missing")
        let session = try Session(jobs: Self.jobs(), ["max_concurrent_executions": 40])
        let screen = try Screen(session, server)
        try session.start()

        let failed = try session.runToEnd("told").text("execution_id")
        #expect(try session.messagesSettled(failed).map { $0.text("state") } == ["sent"])
        let failure = try screen.shows("failure")

        try TestFile.write("", to: session.scratch.path + "/home/well")
        let well = try session.runToEnd("told").text("execution_id")
        #expect(try session.messagesSettled(well).map { $0.text("on") } == ["recovered"])
        let recovery = try screen.shows("recovery", otherThan: failure)

        let asking = try session.json("run_job", "agent").text("execution_id")
        #expect(try session.messagesSettled(asking).map { $0.text("state") } == ["sent"])
        let question = try screen.shows("question", otherThan: recovery)
        _ = try session.call("cancel_run", .string(asking))

        let silent = try session.json("run_job", "silent").text("execution_id")
        #expect(try session.messagesSettled(silent).map { $0.text("on") } == ["stalled"])
        let stalled = try screen.shows("stalled", otherThan: question)
        _ = try session.call("cancel_run", .string(silent))

        let storm = try (0..<40).map { _ in try session.json("run_job", "storm").text("execution_id") }
        for run in storm { _ = try session.waitForRun(run) }
        #expect(try session.messagesSettled(storm[0]).map { $0.text("state") } == ["sent"])
        _ = try screen.shows("storm", otherThan: stalled)
        #expect(screen.isAlive())
    }
}
