import Contract
import DBus
import JSON
import TestSupport
import Testing

@testable import Client

/// Waiting for a run while daemons come and go: `run --wait` of somebody who upgrades the daemon meanwhile.
@Suite struct RunWaitTests {
    private let bus: Bus

    init() throws { bus = try Bus() }

    /// What a wait came to.
    private final class Outcome {
        var absences = 0
        var result: Result<JSONValue, ClientError>?
    }

    private func wait(
        _ subject: RunWait.Subject, _ client: Client, timeout: Double? = nil
    ) -> (RunWait, Outcome) {
        let outcome = Outcome()
        let wait = RunWait(
            subject, of: client, timeoutSeconds: timeout, onAbsence: { outcome.absences += 1 },
            then: { outcome.result = $0 })
        return (wait, outcome)
    }

    private static let ended = #"{"execution_id": "run-1", "status": "success"}"#

    /// How a daemon that is asked may leave.
    enum Leaving: CaseIterable { case killed, busy, busyAfterTheNextOneIsThere }

    /// The daemon leaves in each way, at each of the two calls, several times: the wait ends with the run.
    @Test(arguments: Leaving.allCases, [1, 3])
    func itGoesOnWithTheNextDaemon(_ leaving: Leaving, _ times: Int) throws {
        let client = try bus.client()
        var requests: [String] = []
        var waits: [MethodCall] = []
        var handlers: [MethodName: FakeDaemon.Handler] = [:]
        handlers[.runJob] = {
            requests.append($0.firstText)
            $0.reply(json: #"{"execution_id": "run-1", "status": "running"}"#)
        }
        handlers[.waitRun] = { waits.append($0) }
        var daemon = try FakeDaemon(on: bus, handlers)
        let (wait, outcome) = wait(.request("{}"), client)
        for round in 1...times {
            try bus.turn(until: "wait \(round)") { waits.count == round }
            switch leaving {
            case .killed: daemon.leave()
            case .busy, .busyAfterTheNextOneIsThere:
                waits[round - 1].fail(.busy)
                if leaving == .busy { try bus.turn(until: "the absence") { outcome.absences == 1 } }
                daemon.leave()
            }
            daemon = try FakeDaemon(on: bus, handlers)
        }
        try bus.turn(until: "the last wait") { waits.count == times + 1 }
        waits[times].reply(json: Self.ended)
        try bus.turn(until: "the end") { outcome.result != nil }
        #expect(try outcome.result?.get()["status"] == "success")
        // The run was started once, its id is asked for, and the absence is told once.
        #expect(requests.count == 1 && waits.allSatisfy { $0.firstText == "run-1" })
        #expect(outcome.absences == 1 && wait.executionID == "run-1")
        daemon.leave()
    }

    /// The answer of the start is lost with the daemon: the same request, with its key, is made again.
    @Test(arguments: [false, true])
    func aLostAnswerOfTheStartIsAskedForAgain(_ isBusy: Bool) throws {
        let client = try bus.client()
        var requests: [MethodCall] = []
        var first: FakeDaemon? = try FakeDaemon(
            on: bus, [.runJob: { requests.append($0) }, .waitRun: { $0.fail(.runNotFound) }])
        let request = #"{"job": "tea", "idempotency_key": "k"}"#
        let (wait, outcome) = wait(.request(request), client)
        try bus.turn(until: "the request") { requests.count == 1 }
        if isBusy { requests[0].fail(.busy) }
        first?.leave()
        first = nil
        let second = try FakeDaemon(
            on: bus,
            [
                .runJob: {
                    requests.append($0)
                    $0.reply(json: Self.ended)
                }, .waitRun: { $0.reply(json: Self.ended) },
            ])
        defer { second.leave() }
        try bus.turn(until: "the end") { outcome.result != nil }
        #expect(try outcome.result?.get()["execution_id"] == "run-1")
        #expect(requests.map(\.firstText) == [request, request] && outcome.absences == 1)
        withExtendedLifetime(wait) {}
    }

    @Test func aDaemonThatStaysAwayEndsTheWaitAtItsTimeout() throws {
        let client = try bus.client()
        var waits: [MethodCall] = []
        let daemon = try FakeDaemon(on: bus, [.waitRun: { waits.append($0) }])
        let (wait, outcome) = wait(.run("run-1"), client, timeout: 0.3)
        try bus.turn(until: "the wait") { waits.count == 1 }
        daemon.leave()
        try bus.turn(until: "the end") { outcome.result != nil }
        guard case .failure(.timedOut(.waitRun, 0.3)) = outcome.result else {
            return #expect(Bool(false), "\(outcome.result as Any)")
        }
        withExtendedLifetime(wait) {}
    }

    @Test func aRunThatTakesTooLongEndsTheWaitAtItsTimeout() throws {
        let client = try bus.client()
        var kept: [MethodCall] = []
        let daemon = try FakeDaemon(on: bus, [.waitRun: { kept.append($0) }])
        defer { daemon.leave() }
        let (wait, outcome) = wait(.run("run-1"), client, timeout: 0.1)
        try bus.turn(until: "the end") { outcome.result != nil }
        guard case .failure(.timedOut(.waitRun, _)) = outcome.result else {
            return #expect(Bool(false), "\(outcome.result as Any)")
        }
        #expect(outcome.absences == 0)
        withExtendedLifetime(wait) {}
    }

    @Test func whereThereNeverWasADaemonNothingIsWaitedFor() throws {
        let client = try bus.client()
        for subject in [RunWait.Subject.run("run-1"), .request("{}")] {
            let (wait, outcome) = wait(subject, client)
            try bus.turn(until: "the end") { outcome.result != nil }
            guard case .failure(.noDaemon) = outcome.result else {
                return #expect(Bool(false), "\(outcome.result as Any)")
            }
            #expect(outcome.absences == 0)
            withExtendedLifetime(wait) {}
        }
    }

    @Test(arguments: [ServiceError.runNotFound, .storeFailed, .jobNotFound])
    func aRefusalEndsTheWait(_ refusal: ServiceError) throws {
        let client = try bus.client()
        let daemon = try FakeDaemon(on: bus, [.runJob: { $0.fail(refusal) }, .waitRun: { $0.fail(refusal) }])
        defer { daemon.leave() }
        for subject in [RunWait.Subject.run("run-1"), .request("{}")] {
            let (wait, outcome) = wait(subject, client)
            try bus.turn(until: "the end") { outcome.result != nil }
            guard case .failure(.refused(.service(refusal), _)) = outcome.result else {
                return #expect(Bool(false), "\(outcome.result as Any)")
            }
            withExtendedLifetime(wait) {}
        }
    }
}
