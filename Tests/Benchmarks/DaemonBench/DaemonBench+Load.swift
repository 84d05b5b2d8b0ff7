import DBus
import EventLoop
import Glibc
import TestSupport

/// Many runs: how many go through, and what is left over.
extension DaemonBench {
    /// Runs of `/bin/true`, from the request to the record of the end, so many at a time.
    func measureThroughput(runs: Int, atOnce: Int) throws {
        let before = (ProcessState.openFiles(process), ProcessState.residentKiB(process))
        let start = nanoseconds(CLOCK_MONOTONIC)
        var requested = 0
        var ended = 0
        var failures = 0
        func next() {
            guard requested < runs else { return }
            requested += 1
            // This function returns when all have been answered.
            connection.call(request("run_job", "load")) { [unowned self] result in
                let run = (try? result.get())?.first?.asString ?? ""
                connection.call(request("wait_run", text(of: "execution_id", in: run))) { result in
                    let run = (try? result.get())?.first?.asString ?? ""
                    if !run.contains("\"status\": \"success\"") { failures += 1 }
                    ended += 1
                    next()
                }
            }
        }
        for _ in 0..<atOnce { next() }
        while ended < runs { _ = try loop.runOnce(timeoutUSec: 1_000_000) }
        let seconds = Double(nanoseconds(CLOCK_MONOTONIC) - start) / 1e9
        print(
            "\(runs) runs of /bin/true, \(atOnce) at a time: \(Int(Double(runs) / seconds)) a second, \(failures) failed;",
            "files \(before.0) then \(ProcessState.openFiles(process)), resident \(before.1) then \(ProcessState.residentKiB(process)) KiB"
        )
    }

    /// So many processes that live at the same time, each for a second.
    func measureCrowd(runs: Int) throws {
        let before = (ProcessState.openFiles(process), ProcessState.residentKiB(process))
        var ended = 0
        var failures = 0
        let subscriptions = ["JobCompleted", "JobFailed"].map { (member: MemberName) in
            let rule = MatchRule(
                sender: "com.aiworkflow.BotCron", path: "/com/aiworkflow/BotCron",
                interface: "com.aiworkflow.BotCron", member: member, firstArgument: "crowd")
            return connection.subscribe(rule) { _ in
                ended += 1
                if member == "JobFailed" { failures += 1 }
            }
        }
        defer { for subscription in subscriptions { subscription.cancel() } }
        let start = nanoseconds(CLOCK_MONOTONIC)
        var requested = 0
        var most = 0
        func next() {
            guard requested < runs else { return }
            requested += 1
            connection.call(request("run_job", "crowd")) { result in
                if case .failure = result { failures += 1 }
                next()
            }
        }
        for _ in 0..<10 { next() }
        while ended < runs {
            _ = try loop.runOnce(timeoutUSec: 50_000)
            if requested == runs, most == 0 { most = requested - ended }
        }
        let seconds = Double(nanoseconds(CLOCK_MONOTONIC) - start) / 1e9
        let recorded = try count(ofRecords: "crowd")
        print(
            "\(runs) processes that live a second, \(most) of them at once: \(Int(seconds * 1000)) ms,",
            "\(recorded) recorded, \(failures) failed;",
            "files \(before.0) then \(ProcessState.openFiles(process)), resident \(before.1) then \(ProcessState.residentKiB(process)) KiB"
        )
    }

    private func count(ofRecords job: String) throws -> Int {
        try call("query_history", [.string("{\"job\": \"\(job)\", \"status\": \"success\", \"limit\": 1000}")])
            .ranges(of: "\"execution_id\"").count
    }

    private func request(_ member: MemberName, _ argument: String) -> RemoteCall {
        RemoteCall(
            "com.aiworkflow.BotCron", "/com/aiworkflow/BotCron", "com.aiworkflow.BotCron", member, [.string(argument)],
            timeoutMSec: nil)
    }
}
