import Contract
import Glibc
import JSON
import Performing
import Schedules
import Scheduling
import TestSupport
import Testing

@testable import Control
@testable import DBus

/// Who asks for a change is known before it is decided, nothing that the same client asks for overtakes it, and nobody
/// else waits.
@Suite struct CallerTests {
    private let stage: Stage

    init() throws {
        stage = try Stage()
        stage.scheduler.add("daily", next: Instant(seconds: 1_800_000_600))
    }

    private func author(of event: Event?) -> ChangeAuthor? {
        switch event {
        case .jobToggled(_, _, _, _, let author, _)?: author
        case .schedulerToggled(_, let author, _)?: author
        case .skipRequested(_, _, let author, _)?: author
        case .jobUpserted(_, let author, _)?: author
        case .jobCancelled(_, _, let author, _)?: author
        default: nil
        }
    }

    /// This very program, as the kernel knows it.
    private var ownName: String {
        String(TestFile.text("/proc/self/comm").dropLast())
    }

    private var ownProgram: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    @Test func everyWayToChangeAJobSaysWho() throws {
        let job = Stage.path.appending("jobs").appending("daily")
        let jobInterface = InterfaceName(trusted: Address.jobInterface)
        let manager = InterfaceName(trusted: Address.managerInterface)
        let properties: InterfaceName = "org.freedesktop.DBus.Properties"
        let off = DBusValue.variant(.bool(false))
        stage.intake.decide = { event in
            switch event {
            case .skipRequested: .reply(.skipped(fireTime: nil, next: nil))
            case .jobUpserted(let job, _, _): .reply(.scheduled(job: job.name, next: nil))
            default: .reply(.done)
            }
        }
        let calls = [
            stage.remote("toggle_job", [.string("daily"), .bool(false)]),
            stage.remote("pause_job", [.string(#"{"job": "daily", "reason": "why"}"#)]),
            stage.remote("resume_job", [.string("daily")]), stage.remote("skip_job", [.string("daily")]),
            stage.remote("toggle_scheduler", [.bool(false)]),
            stage.remote("schedule_job", [.string(#"{"name": "made", "command": ["true"]}"#)]),
            stage.remote("cancel_job", [.string("daily")]),
            stage.remote("CallMethod", [.string("disable_job"), .string(#"["daily"]"#)]),
            stage.remote("CallMethod", [.string("manage_scheduler"), .string(#"["stop"]"#)]),
            stage.remote("Enable", [], jobInterface, at: job), stage.remote("Disable", [], jobInterface, at: job),
            stage.remote("Remove", [], jobInterface, at: job),
            stage.remote("Set", [.string(jobInterface.text), .string("Enabled"), off], properties, at: job),
            stage.remote("Set", [.string(manager.text), .string("Enabled"), off], properties),
        ]
        for call in calls {
            let before = stage.intake.asked.count
            _ = try stage.call(call).get()
            #expect(stage.intake.asked.count == before + 1, "\(call)")
            guard case .process(let name, let executable?)? = author(of: stage.intake.asked.last) else {
                Issue.record("\(call): \(String(describing: stage.intake.asked.last))")
                continue
            }
            #expect(name == ownName && executable == ownProgram, "\(call)")
        }
    }

    /// A job that is made and run without waiting for the first answer is run.
    @Test func whatAClientAsksForNextComesAfterItsChange() throws {
        stage.intake.decide = { event in
            switch event {
            case .jobUpserted(let job, _, _): .reply(.scheduled(job: job.name, next: nil))
            default: .reply(.done)
            }
        }
        let answers = [
            stage.send(stage.remote("schedule_job", [.string(#"{"name": "made", "command": ["true"]}"#)])),
            stage.send(stage.remote("cancel_run", [.string("run-1")])),
            stage.send(stage.remote("toggle_job", [.string("daily"), .bool(false)])),
        ]
        try stage.turn(until: "the answers") { answers.allSatisfy { $0.result != nil } }
        let order = stage.intake.asked.map { event in
            switch event {
            case .jobUpserted: "made"
            case .cancelRequested: "cancelled"
            case .jobToggled: "toggled"
            default: "\(event)"
            }
        }
        #expect(order == ["made", "cancelled", "toggled"])
    }

    /// It asked for no answer and left: what it asked for is done, and its name on the bus is all that is known of it.
    @Test func aClientThatHasLeftIsOnRecordAsThat() throws {
        let other = try stage.connect()
        let name = try #require(other.uniqueName)
        let callers = Callers()
        other.close()
        try stage.turn(until: "the end of the other") {
            let owner = stage.send(stage.busCall("NameHasOwner", [.string(name.text)]))
            try stage.turn(until: "the bus") { owner.result != nil }
            return try owner.taken().get().first?.asBool == false
        }
        var passed = false
        callers.admit(.change, from: name, on: stage.connection) { passed = true }
        #expect(!passed)
        try stage.turn(until: "the call let through") { passed }
        #expect(callers.author(ofSender: name) == .gone(name.text))
    }

    /// While the bus is asked who somebody is, what that client calls next waits behind it, and nothing else does.
    @Test func onlyTheClientThatIsAskedForWaits() throws {
        let callers = Callers()
        let name = try #require(stage.client.uniqueName)
        let other = try stage.connect()
        defer { other.close() }
        var order: [String] = []
        func admit(_ what: String, _ kind: Method.Kind, from sender: BusName?) {
            callers.admit(kind, from: sender, on: stage.connection) { order.append(what) }
        }
        admit("change", .change, from: name)
        admit("read", .read, from: name)
        admit("health", .health, from: name)
        admit("read of another", .read, from: other.uniqueName)
        // Where there is no bus in between nobody can be asked.
        admit("change of nobody", .change, from: nil)
        #expect(order == ["health", "read of another", "change of nobody"])
        try stage.turn(until: "the answer of the bus") { order.count == 5 }
        #expect(order.suffix(2) == ["change", "read"])
        #expect(callers.author(ofSender: nil) == .unknown)
        admit("second change", .change, from: name)
        #expect(order.last == "second change", "who is known is not asked for again")
        callers.busIsLost()
        #expect(callers.author(ofSender: name) == .unknown, "on the next bus the name is another's")
    }

    @Test func noMoreThanSoManyAreRemembered() throws {
        let callers = Callers()
        var passed = 0
        for number in 0..<(Callers.knownMax + 10) {
            let name = try #require(BusName(":9.\(number)"))
            callers.admit(.change, from: name, on: stage.connection) { passed += 1 }
        }
        try stage.turn(until: "the answers") { passed == Callers.knownMax + 10 }
        #expect(callers.knownCount == Callers.knownMax)
    }

    @Test func aReasonThatIsTooLongIsRefused() throws {
        let reason = String(repeating: "x", count: JobChange.reasonBytesMax + 1)
        let argument: JSONValue = ["job": "daily", "reason": .string(reason)]
        let error = try stage.call("pause_job", .string(argument.compactText)).error
        #expect(error?.name == .limitsExceeded)
        #expect(stage.intake.asked.isEmpty)
    }

    @Test func getJobHasWhatWasChanged() throws {
        var change = JobChange(
            sequence: 1, job: "daily", at: Instant(seconds: 1_800_000_000), what: .disabled,
            author: .process(name: "python3", executable: "/usr/bin/python3.11"))
        change.reason = "quota used up"
        stage.store.changes = [change]
        let job = try stage.json("get_job", .string("daily"))
        #expect(job["disabled_reason"] == .null)
        #expect(
            job["changes"] == [
                [
                    "what": "disabled", "at": "2027-01-15T08:00:00+00:00", "until": .null, "reason": "quota used up",
                    "by": "python3 (/usr/bin/python3.11)", "by_process": "python3",
                    "by_executable": "/usr/bin/python3.11",
                ]
            ])
    }
}

extension Stage {
    fileprivate func busCall(_ member: MemberName, _ arguments: [DBusValue]) -> RemoteCall {
        RemoteCall(.bus, "/org/freedesktop/DBus", "org.freedesktop.DBus", member, arguments)
    }
}
