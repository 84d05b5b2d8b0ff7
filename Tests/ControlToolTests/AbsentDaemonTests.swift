import Contract
import JSON
import TestSupport
import Testing

@testable import botcronctl

/// A bus without a daemon, and no bus at all: what is not there, and what to do next.
@Suite struct AbsentDaemonTests {
    @Test func withoutADaemonItIsExitCode69AndHowToStartOne() throws {
        let stage = try Stage(nil)
        for verb in ["list", "status", "reload"] {
            let outcome = try stage.control(verb)
            #expect(outcome.code == 69 && outcome.output.isEmpty)
            try Golden.expect(outcome.errors, "no-daemon.txt")
        }
        let object = try JSONValue(parsing: try stage.control("list", "--json").output)
        #expect(object["exit_code"] == 69)
        #expect(object.text("name") == "org.freedesktop.DBus.Error.ServiceUnknown")
    }

    @Test func withoutABusItIsExitCode69AndHowToGetOne() throws {
        let outcome = try TestProgram([TestPlace.built("botcronctl"), "list"], environment: ["PATH=/usr/bin"]).finish()
        #expect(outcome.code == 69 && outcome.output.isEmpty)
        try Golden.expect(outcome.errors, "no-bus.txt")
        let other = try TestProgram(
            [TestPlace.built("botcronctl"), "--bus", "unix:path=/nonexistent/bus", "list"], environment: []
        ).finish()
        #expect(other.code == 69 && other.errors.contains("unix:path=/nonexistent/bus"))
    }

    @Test func theProgramHasAVersionWithoutADaemon() throws {
        let stage = try Stage(nil)
        let outcome = try stage.control("version")
        #expect(outcome.code == 0 && outcome.output == "botcronctl \(botcronVersion)\nbotcrond is not running\n")
        let object = try JSONValue(parsing: try stage.control("version", "--json").output)
        #expect(object == ["botcronctl": .string(botcronVersion), "botcrond": nil])
    }

    @Test func monitorWaitsForADaemonThatIsNotThereYet() throws {
        let stage = try Stage(nil)
        let monitor = try stage.start("monitor")
        _ = try monitor.errors(until: "waiting for it")
        try stage.write(#"{"schedules": {}}"#, to: "config.json")
        try stage.startDaemon()
        _ = try monitor.output(until: "arrived")
        try stage.stopDaemon()
        _ = try monitor.output(until: "left")
    }
}
