import CSQLite
import Glibc
import TestSupport

/// What a call costs through our face of libdbus, and to the daemon, beside services that do no more than answer as
/// many bytes: one of bare libdbus, one of sd-bus.
///
/// `bus-bench [DAEMON [SD-BUS-SERVICE]]` starts a private bus and each service in turn, and calls them by one bare
/// client: one at a time (the median, and p99), then 64 in flight (calls per second, and the service's own CPU per
/// call).
@main
struct BusBench {
    static let roundCount = 3
    static let callCount = 5000
    /// Of the daemon whose history is asked for.
    static let runCount = 1_000_000

    static func main() throws {
        let arguments = CommandLine.arguments
        switch arguments.dropFirst().first {
        case "ours": return try Services.serveOurs(arguments[2])
        case "bare": return Services.serveBare(arguments[2])
        case "peers": return Services.servePeers()
        default: break
        }
        let bus = try PrivateBus(environment: nil)
        defer { bus.kill() }
        let address = bus.address
        let echoes = Echoes(address, sdBus: arguments.count > 2 ? arguments[2] : nil)
        print("call                        bytes  one: p50 µs    p99 µs   64: calls/s   CPU µs/call")
        let client = BareClient(address)
        for (label, size) in [("4 B", 4), ("4 KiB", 4096)] {
            try compare(label, size, client, echoes, ["ours"])
        }
        guard arguments.count > 1 else { return }
        let daemon = { jobs in try Daemon(arguments[1], address, jobs: jobs) }
        try compare(["Ping", "list_jobs", "GetStatus"].map { ($0, .daemon($0)) }, client, echoes, try daemon(10))
        try compare([("list_jobs, 10,000", .daemon("list_jobs"))], client, echoes, try daemon(10_000))
        let old = try daemon(10)
        try old.fill(runs: runCount)
        try compare([("get_history 20 of 1,000,000", .daemon("get_history", 20))], client, echoes, old)
    }

    /// Calls of the daemon, each beside services that answer as many bytes.
    private static func compare(
        _ calls: [(label: String, call: BareClient.Call)], _ client: BareClient, _ echoes: Echoes, _ daemon: Daemon
    ) throws {
        defer { daemon.end() }
        for (label, call) in calls {
            let size = client.call(call)
            guard size > 0 else { throw TestFailure("no answer to \(label)") }
            try compare(label, size, client, echoes, [], (daemon.process, call))
        }
    }

    /// In turns, so that what else the machine does hits all alike.
    private static func compare(
        _ label: String, _ size: Int, _ client: BareClient, _ echoes: Echoes, _ more: [String],
        _ daemon: (service: TestProgram, call: BareClient.Call)? = nil
    ) throws {
        let isLarge = size > 1 << 20
        let count = isLarge ? 50 : callCount
        for _ in 0..<roundCount {
            if let daemon { measure(label, size, daemon.call, client, daemon.service, count: count) }
            for role in more + echoes.roles {
                let service = try echoes.start(role)
                measure("  \(role)", size, .echo(size), client, service, count: count)
                service.leave()
            }
            guard isLarge else { continue }
            // Where the bus in between is most of it.
            let service = try TestProgram(service: [CommandLine.arguments[0], "peers"])
            let direct = BareClient(try service.readLine(), isBus: false)
            measure("  bare, no bus", size, .echo(size), direct, service, count: count)
            service.leave()
        }
    }

    private static func measure(
        _ label: String, _ size: Int, _ call: BareClient.Call, _ client: BareClient, _ service: TestProgram, count: Int
    ) {
        for _ in 0..<max(3, count / 10) { client.call(call) }
        var times = (0..<count).map { _ in
            let start = monotonicNSec()
            client.call(call)
            return Double(monotonicNSec() - start) / 1000
        }
        times.sort()
        let cpuBefore = service.cpuUSec
        let start = monotonicNSec()
        client.callPipelined(call, count: count * 4, inFlight: size > 1 << 20 ? 4 : 64)
        let seconds = Double(monotonicNSec() - start) / 1e9
        let cpu = (service.cpuUSec - cpuBefore) / Double(count * 4)
        print(
            [
                label.padded(26), String(size).padded(10), times[count / 2].rounded1().padded(12),
                times[count * 99 / 100].rounded1().padded(10), String(Int(Double(count * 4) / seconds)).padded(12),
                cpu.rounded1(),
            ].joined(separator: " "))
    }
}

/// The services that do no more than answer.
struct Echoes {
    private let address: String
    private let sdBus: String?
    let roles: [String]

    init(_ address: String, sdBus: String?) {
        self.address = address
        self.sdBus = sdBus
        roles = sdBus == nil ? ["bare"] : ["bare", "sd-bus"]
    }

    func start(_ role: String) throws -> TestProgram {
        let own = [CommandLine.arguments[0], role, address]
        let service = try TestProgram(service: role == "sd-bus" ? [sdBus ?? "", address] : own)
        _ = try service.readLine()
        return service
    }
}

/// A daemon with a folder of its own.
final class Daemon {
    private let program: String
    private let address: String
    private let scratch: ScratchFolder
    private var folder: String { scratch.path }
    private(set) var process: TestProgram

    init(_ program: String, _ address: String, jobs: Int) throws {
        scratch = try ScratchFolder("botcron-bench")
        let list = (0..<jobs).map {
            "{\"name\": \"job\($0)\", \"cron\": \"\($0 % 60) 3 1 1 *\", \"command\": [\"true\"]}"
        }
        try TestFile.write(
            "{\"schedules\": {\"timezone\": \"UTC\", \"jobs\": [" + list.joined(separator: ", ") + "]}}",
            to: scratch.path + "/config.json")
        (self.program, self.address) = (program, address)
        process = try Self.start(program, address, scratch.path)
    }

    private static func start(_ program: String, _ address: String, _ folder: String) throws -> TestProgram {
        let process = try TestProgram(service: [
            program, "--bus", address, "--config", folder + "/config.json", "--state-dir", folder + "/state",
        ])
        let client = BareClient(address)
        // It has no other door that says when it is there, and nothing is measured yet.
        while client.call(.daemon("Ping")) != 4 { usleep(20_000) }
        client.close()
        return process
    }

    func end() { process.leave() }

    /// Gives it a past, straight into the store.
    func fill(runs: Int) throws {
        process.leave()
        var store: OpaquePointer?
        defer { sqlite3_close(store) }
        let text = """
            PRAGMA synchronous = OFF; BEGIN;
            INSERT INTO run (id, job, skill, trigger, scheduled_for_us, created_at_us, status, attempt, started_at_us,
                ended_at_us, exit_code, output_preview, trace_id, covered_count, is_forced)
            WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < \(runs))
            SELECT printf('cron-old%d-20200101-%06d', n % 100, n), printf('old%d', n % 100), '', 'schedule',
                1500000000000000 + n * 30000000, 1500000000000000 + n * 30000000, 'success', 1,
                1500000000000000 + n * 30000000, 1500000005000000 + n * 30000000, 0, 'done and well' || char(10),
                printf('%032x', n), 1, 0 FROM number;
            INSERT INTO run_count VALUES ('success', \(runs)) ON CONFLICT DO UPDATE SET runs = runs + excluded.runs;
            COMMIT;
            """
        guard sqlite3_open(folder + "/state/botcron.db", &store) == SQLITE_OK,
            sqlite3_exec(store, text, nil, nil, nil) == SQLITE_OK
        else { throw TestFailure("cannot fill the store: \(String(cString: sqlite3_errmsg(store)))") }
        process = try Self.start(program, address, folder)
    }
}
