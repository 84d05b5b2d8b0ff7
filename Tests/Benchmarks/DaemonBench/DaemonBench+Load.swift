import DBus
import EventLoop
import Glibc

/// Many runs: how late they start, how many go through, and what is left over.
extension DaemonBench {
    /// From the instant that a schedule names to the process's own clock: one fire time a second.
    func measureLateness(times: Int) throws {
        var lateness: [Double] = []
        let rule = MatchRule(
            sender: "com.aiworkflow.BotCron", path: "/com/aiworkflow/BotCron", interface: "com.aiworkflow.BotCron",
            member: "JobCompleted", firstArgument: "second")
        let subscription = connection.subscribe(rule) { [unowned self] signal in
            let run = signal.arguments.last?.asString ?? ""
            guard let stamp = Int64(text(of: "output_preview", in: run).prefix { $0.isNumber }) else { return }
            // Fire times are whole seconds.
            lateness.append(Double(stamp % 1_000_000_000) / 1e6)
        }
        defer { subscription.cancel() }
        try call("toggle_job", [.string("second"), .bool(true)])
        while lateness.count < times { _ = try loop.runOnce(timeoutUSec: 1_000_000) }
        try call("toggle_job", [.string("second"), .bool(false)])
        report("from the fire time to the job's own clock (date)", lateness)
        report("one commit: write and fdatasync of 4 KiB here", try syncFloor(times: times))
        report("posix_spawn of date to its own clock", try spawnFloor(times: times))
    }

    /// Runs of `/bin/true`, from the request to the record of the end, so many at a time.
    func measureThroughput(runs: Int, atOnce: Int) throws {
        let before = (openFiles(), residentKiB())
        let start = nanoseconds(CLOCK_MONOTONIC)
        var requested = 0
        var ended = 0
        var failures = 0
        func next() {
            guard requested < runs else { return }
            requested += 1
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
            "files \(before.0) then \(openFiles()), resident \(before.1) then \(residentKiB()) KiB")
    }

    private func request(_ member: MemberName, _ argument: String) -> RemoteCall {
        RemoteCall(
            "com.aiworkflow.BotCron", "/com/aiworkflow/BotCron", "com.aiworkflow.BotCron", member, [.string(argument)],
            timeoutMSec: nil)
    }

    private func spawnFloor(times: Int) throws -> [Double] {
        try (0..<times).map { _ in
            var ends: [Int32] = [-1, -1]
            guard pipe(&ends) == 0 else { throw Failure(message: "pipe: errno \(errno)") }
            var actions = posix_spawn_file_actions_t()
            posix_spawn_file_actions_init(&actions)
            defer { posix_spawn_file_actions_destroy(&actions) }
            posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
            let arguments: [UnsafeMutablePointer<CChar>?] = [strdup("/bin/date"), strdup("+%s%N"), nil]
            defer { for argument in arguments { free(argument) } }
            var process: pid_t = 0
            let start = nanoseconds(CLOCK_REALTIME)
            let code = posix_spawn(&process, "/bin/date", &actions, nil, arguments, environ)
            close(ends[1])
            defer { close(ends[0]) }
            guard code == 0 else { throw Failure(message: "cannot start date: errno \(code)") }
            var bytes = [UInt8](repeating: 0, count: 64)
            let count = read(ends[0], &bytes, bytes.count)
            waitpid(process, nil, 0)
            let digits = String(decoding: bytes[..<max(0, count)], as: UTF8.self).prefix { $0.isNumber }
            return Double((Int64(digits) ?? start) - start) / 1e6
        }
    }

    private func openFiles() -> Int {
        guard let folder = opendir("/proc/\(process)/fd") else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // `.` and `..`.
        return count - 2
    }

    private func residentKiB() -> Int {
        guard let file = fopen("/proc/\(process)/statm", "r") else { return 0 }
        defer { fclose(file) }
        var pages = [CChar](repeating: 0, count: 128)
        guard fgets(&pages, 128, file) != nil else { return 0 }
        let words = String(decoding: pages.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            .split(separator: " ")
        return (words.count > 1 ? Int(words[1]) ?? 0 : 0) * sysconf(Int32(_SC_PAGESIZE)) / 1024
    }
}
