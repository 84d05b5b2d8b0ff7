import Glibc
import JSON
import TestSupport
import Testing

@testable import botcronctl

/// `monitor` against the real daemon.
@Suite struct MonitorTests {
    private let stage: Stage

    init() throws { stage = try Stage() }

    @Test func eachSignalIsALine() throws {
        let monitor = try stage.start("monitor")
        var text = try monitor.output(until: "next")
        #expect(try stage.control("run", "greet", "--wait").code == 0)
        text += try monitor.output(until: "completed")
        #expect(try stage.control("run", "fails", "--wait").code == 3)
        text += try monitor.output(until: "failed")
        #expect(try stage.control("pause").code == 0)
        text += try monitor.output(until: "nothing due")
        monitor.send(SIGINT)
        let end = try monitor.finish()
        #expect(end.code == 0 && end.errors.isEmpty, "\(end)")
        // `StatusChanged` follows the pause, too; whether it was read with the rest is chance.
        let lines = Golden.settled(text, stage).split(separator: "\n").filter { !$0.contains("  status  ") }
        try Golden.expect(lines.joined(separator: "\n") + "\n", "monitor.txt")
    }

    @Test func eachSignalIsAnObjectWithJSON() throws {
        let monitor = try stage.start("monitor", "--json")
        var text = try monitor.output(until: "next_run")
        #expect(try stage.control("run", "fails", "--wait").code == 3)
        text += try monitor.output(until: "\"JobFailed\"")
        monitor.send(SIGTERM)
        #expect(try monitor.finish().code == 0)
        let objects = try text.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
        let failed = try #require(objects.first { $0["signal"] == "JobFailed" })
        #expect(failed.text("job") == "fails" && failed.text("error").contains("3"))
        #expect(failed.text("execution_id").hasPrefix("cron-fails-") && failed.instant("time") != nil)
        #expect(objects.contains { $0["signal"] == "JobStarted" && $0["execution_id"] == failed["execution_id"] })
    }

    @Test func itEndsByItselfAfterATime() throws {
        let outcome = try stage.control("monitor", "--for", "0.3")
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome)")
    }

    @Test func aLostBusEndsIt() throws {
        let other = try Stage(nil)
        let monitor = try other.start("monitor")
        _ = try monitor.errors(until: "waiting for it")
        other.killBus()
        let outcome = try monitor.finish()
        #expect(outcome.code == 69 && outcome.errors.contains("the connection to the bus is lost"), "\(outcome)")
    }
}
