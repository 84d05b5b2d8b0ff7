import DBus
import EventLoop
import Glibc
import TestSupport

/// How late a job starts, beside what the machine itself takes for the same: to wake up, to sync, to start a process.
extension DaemonBench {
    /// From the instant that a schedule names, each full second, to the process's own clock. In between, at each half
    /// second, what is the least that can be done: so the machine is as idle, and its caches as cold, for both.
    func measureLateness(times: Int) throws {
        var lateness: [Double] = []
        var wakes: [Double] = []
        var syncs: [Double] = []
        var spawns: [Double] = []
        var beyond: [Double] = []
        var units: [Double] = []
        let rule = MatchRule(
            sender: "com.aiworkflow.BotCron", path: "/com/aiworkflow/BotCron", interface: "com.aiworkflow.BotCron",
            member: "JobCompleted", firstArgument: "second")
        // It is cancelled before this function returns.
        let subscription = connection.subscribe(rule) { [unowned self] signal in
            let run = signal.arguments.last?.asString ?? ""
            guard let stamp = Int64(text(of: "output_preview", in: run).prefix { $0.isNumber }) else { return }
            lateness.append(Double(stamp % 1_000_000_000) / 1e6)
        }
        defer { subscription.cancel() }
        let hasUserManager = hasUserManager()
        try call("toggle_job", [.string("second"), .bool(true)])
        while lateness.count < times {
            let known = lateness.count
            while lateness.count == known { _ = try loop.runOnce(timeoutUSec: 1_000_000) }
            let due = (nanoseconds(CLOCK_REALTIME) / 1_000_000_000) * 1_000_000_000 + 500_000_000
            sleep(until: due)
            let awake = nanoseconds(CLOCK_REALTIME)
            try sync()
            let synced = nanoseconds(CLOCK_REALTIME)
            let started = try spawn([stamp])
            wakes.append(Double(awake - due) / 1e6)
            syncs.append(Double(synced - awake) / 1e6)
            spawns.append(Double(started - synced) / 1e6)
            beyond.append((lateness.last ?? 0) - Double(synced - awake) / 1e6)
            guard hasUserManager, known < 20 else { continue }
            let asked = nanoseconds(CLOCK_REALTIME)
            let unit = try spawn(["systemd-run", "--user", "--wait", "--pipe", "--quiet", "--collect", stamp])
            units.append(Double(unit - asked) / 1e6)
        }
        try call("toggle_job", [.string("second"), .bool(false)])
        report("from the fire time to the job's own clock" + (hasUserManager ? ", in a scope" : ""), lateness)
        report("  the same without one sync, timed half a second later", beyond)
        report("  a bare loop: to wake up", wakes)
        report("  a bare loop: one sync (13 pages of the store's log)", syncs)
        report("  a bare loop: posix_spawn to the process's own clock", spawns)
        if !units.isEmpty { report("  systemd-run --user --wait to the process's own clock", units) }
    }

    private func hasUserManager() -> Bool {
        var found = false
        var isKnown = false
        connection.owner(of: "org.freedesktop.systemd1") { owner in
            found = owner != nil
            isKnown = true
        }
        while !isKnown { _ = try? loop.runOnce(timeoutUSec: 1_000_000) }
        return found
    }

    private func sleep(until instant: Int64) {
        var time = timespec(tv_sec: Int(instant / 1_000_000_000), tv_nsec: Int(instant % 1_000_000_000))
        while clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &time, nil) == EINTR {}
    }

    /// As much as a commit of the store writes for a run that starts.
    private func sync() throws {
        let fd = open(folder + "/floor", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        guard fd >= 0 else { throw TestFailure("cannot write in the scratch folder: errno \(errno)") }
        defer { close(fd) }
        let pages = [UInt8](repeating: 7, count: 13 * 4120)
        _ = pages.withUnsafeBytes { write(fd, $0.baseAddress, $0.count) }
        fdatasync(fd)
    }

    /// - Returns: what the process wrote: the instant it was there.
    private func spawn(_ words: [String]) throws -> Int64 {
        let program = try TestProgram(words, environment: nil, errors: .inherited)
        let digits = try program.readLine().prefix { $0.isNumber }
        program.wait()
        guard let instant = Int64(digits) else { throw TestFailure("\(words[0]) does not say when it was there") }
        return instant
    }
}
