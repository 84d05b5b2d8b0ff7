import DBus
import EventLoop
import Glibc
import TestSupport

func nanoseconds(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// One daemon with ten jobs that are due in hours, and two for load, measured from outside.
final class DaemonBench {
    private let daemon: String
    /// A program that writes the wall clock's nanoseconds as the first thing it does.
    let stamp: String
    private let scratch: ScratchFolder
    var folder: String { scratch.path }
    let connection: Connection
    let loop: EventLoop
    private(set) var process: pid_t = 0

    init(daemon: String, stamp: String) throws {
        self.daemon = daemon
        // The daemon starts it elsewhere.
        guard let path = realpath(stamp, nil) else { throw TestFailure("there is no program \(stamp)") }
        defer { free(path) }
        self.stamp = String(cString: path)
        scratch = try ScratchFolder("botcron-bench")
        loop = try EventLoop()
        connection = try Connection(to: .session, loop: loop)
        try writeConfiguration()
    }

    private func writeConfiguration() throws {
        let command = "[\"\(stamp)\"]"
        let jobs = (0..<10).map { "{\"name\": \"job\($0)\", \"cron\": \"0 3 1 1 *\", \"command\": \(command)}" }
        let more = [
            "{\"name\": \"second\", \"cron\": \"* * * * * *\", \"enabled\": false, \"command\": \(command)}",
            "{\"name\": \"load\", \"command\": [\"/bin/true\"], \"overlap_policy\": \"allow\", \"history_limit\": 1000}",
            "{\"name\": \"crowd\", \"command\": [\"/bin/sleep\", \"1\"], \"overlap_policy\": \"allow\", \"history_limit\": 1000}",
        ]
        let list = (jobs + more).joined(separator: ", ")
        let text = "{\"schedules\": {\"timezone\": \"UTC\", \"max_concurrent_executions\": 500, \"jobs\": [\(list)]}}"
        try TestFile.write(text, to: folder + "/config.json")
    }

    // MARK: - From exec to the name

    func measureStart(times: Int) throws {
        var milliseconds: [Double] = []
        for round in 0..<times {
            let start = nanoseconds(CLOCK_MONOTONIC)
            try launch()
            try waitForName()
            milliseconds.append(Double(nanoseconds(CLOCK_MONOTONIC) - start) / 1e6)
            if round < times - 1 { stop() }
        }
        report("from exec to the name owned, ten jobs", milliseconds)
    }

    private func launch() throws {
        let log = open(folder + "/log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        defer { close(log) }
        process = try TestProgram.spawn(
            [daemon, "--config", "\(folder)/config.json", "--state-dir", "\(folder)/state"], errors: log)
    }

    private func waitForName() throws {
        var isThere = false
        let rule = MatchRule(
            sender: .bus, path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus", member: "NameOwnerChanged")
        let subscription = connection.subscribe(rule) { signal in
            if signal.arguments.first?.asString == "com.aiworkflow.BotCron", signal.arguments.last?.asString != "" {
                isThere = true
            }
        }
        defer { subscription.cancel() }
        connection.owner(of: "com.aiworkflow.BotCron") { owner in if owner != nil { isThere = true } }
        let deadline = nanoseconds(CLOCK_MONOTONIC) + 10_000_000_000
        while !isThere {
            guard nanoseconds(CLOCK_MONOTONIC) < deadline else {
                throw TestFailure("the daemon did not take its name")
            }
            _ = try loop.runOnce(timeoutUSec: 1_000_000)
        }
    }

    // MARK: - From run_job to the child

    func measureRuns(times: Int) throws {
        var toExec: [Double] = []
        var toReply: [Double] = []
        for round in 0..<times {
            let start = nanoseconds(CLOCK_REALTIME)
            let run = try call("run_job", [.string("job\(round % 10)")])
            toReply.append(Double(nanoseconds(CLOCK_REALTIME) - start) / 1e6)
            let ended = try call("wait_run", [.string(text(of: "execution_id", in: run))])
            guard let stamp = Int64(text(of: "output_preview", in: ended).prefix { $0.isNumber }) else {
                throw TestFailure("the job did not say when it was there: \(ended)")
            }
            toExec.append(Double(stamp - start) / 1e6)
        }
        report("from run_job to the job's own clock", toExec)
        report("from run_job to the reply", toReply)
    }

    @discardableResult
    func call(_ member: MemberName, _ arguments: [DBusValue]) throws -> String {
        let call = RemoteCall(
            "com.aiworkflow.BotCron", "/com/aiworkflow/BotCron", "com.aiworkflow.BotCron", member, arguments)
        return try connection.callAndWait(call).get().first?.asString ?? ""
    }

    func text(of key: String, in json: String) -> String {
        let key = "\"\(key)\": \""
        var rest = Substring(json)
        while !rest.isEmpty, !rest.hasPrefix(key) { rest = rest.dropFirst() }
        return String(rest.dropFirst(key.count).prefix { $0 != "\"" })
    }

    // MARK: - Memory and the end

    /// After the daemon has been quiet for long enough to give back what only runs need.
    func printMemory() throws {
        let end = nanoseconds(CLOCK_MONOTONIC) + 8_000_000_000
        while nanoseconds(CLOCK_MONOTONIC) < end { _ = try loop.runOnce(timeoutUSec: 1_000_000) }
        guard let file = fopen("/proc/\(process)/status", "r") else { return }
        defer { fclose(file) }
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while getline(&line, &capacity, file) > 0, let line {
            let text = String(cString: line)
            if text.hasPrefix("VmRSS") || text.hasPrefix("RssAnon") || text.hasPrefix("VmHWM") {
                print(text, terminator: "")
            }
        }
    }

    func stop() {
        kill(process, SIGTERM)
        var status: Int32 = 0
        waitpid(process, &status, 0)
    }

    func report(_ what: String, _ milliseconds: [Double]) {
        let sorted = milliseconds.sorted()
        func at(_ share: Double) -> String {
            let value = sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
            return String(Double(Int(value * 1000)) / 1000)
        }
        print("\(what): median \(at(0.5)) ms, p99 \(at(0.99)) ms, least \(at(0)) ms, n \(sorted.count)")
        // As it is known, in a pipe too.
        fflush(nil)
    }
}
