import Client
import Configuration
import Contract
import Glibc
import JSON

/// The names that a completion asks for. Whoever types waits for them: what has no answer within the limit has none,
/// and a daemon that does not run is not started.
enum CompletionNames {
    static let limitMSecStandard = 200
    /// How many milliseconds it may take, for slow machines.
    static let variable = "BOTCRON_COMPLETION_MSEC"
    private static let limitMSecMax = 60_000
    /// Runs that are offered: the latest.
    private static let runsMax = 50

    static func print(_ kind: AskedNames, _ context: Context) {
        endInTime()
        switch kind {
        case .jobs: offer(jobs(context), on: context.screen)
        case .runs: offer(runs(context), on: context.screen)
        case .zones: offer(ZoneNames(directory: context.zones.directory).all, on: context.screen)
        }
    }

    /// Ends the program at the limit, whatever it waits for: a bus that takes a connection and says nothing does not
    /// return from libdbus.
    private static func endInTime() {
        let wanted = botcronctl.variable(variable).flatMap { Int($0) } ?? limitMSecStandard
        let limit = min(max(wanted, 1), limitMSecMax)
        signal(SIGALRM) { _ in _exit(ExitCode.success) }
        var timer = itimerval()
        timer.it_value = timeval(tv_sec: limit / 1000, tv_usec: limit % 1000 * 1000)
        setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer, nil)
    }

    private static func jobs(_ context: Context) -> [String] {
        let filter: JSONObject = ["limit": .number(InterfaceLimits.jobsOfPage)]
        let page = ask(.queryJobs, [.text(JSONValue.object(filter).compactText)], context)
        return page?["jobs"]?.arrayValue?.map { $0.text("name") } ?? []
    }

    private static func runs(_ context: Context) -> [String] {
        ask(.getHistory, [.int32(Int32(runsMax))], context)?.arrayValue?.map { $0.text("execution_id") } ?? []
    }

    /// Nothing where it cannot be asked: who presses a key is not told why.
    private static func ask(_ method: MethodName, _ arguments: [Argument], _ context: Context) -> JSONValue? {
        guard let daemon = try? context.daemon() else { return nil }
        return try? daemon.client.json(method, arguments, starting: .never, timeout: .forever)
    }

    /// Shells take what comes for words: only what no shell makes more of is passed on.
    private static func offer(_ names: [String], on screen: Screen) {
        let plain = names.filter { name in
            !name.isEmpty && name.utf8.allSatisfy { isPlain($0) }
        }
        guard !plain.isEmpty else { return }
        screen.line(Line(own: plain.joined(separator: "\n")))
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch Unicode.Scalar(byte) {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".", ":", "/", "+": true
        default: false
        }
    }
}
