import Glibc
import Schedules

/// Measures the schedule engine: `schedule-bench EXPRESSIONS [allocations]`.
///
/// Prints one line for each expression of the file: nanoseconds per `next`, per parse, and heap allocations per
/// `next`. Each figure is the best of several runs: the machine can only add to it. Allocations are counted by the
/// interposed malloc of `count-malloc.c`, which the script preloads; without it they show as "-".
@main
struct ScheduleBench {
    struct Row {
        var name: String
        var category: String
        var expression: String
        var zone: String
        var start: Instant
        var calls: Int
    }

    static func main() {
        guard CommandLine.arguments.count == 2, let rows = rows(path: CommandLine.arguments[1]) else {
            print("usage: schedule-bench EXPRESSIONS")
            exit(2)
        }
        print(line("expression", "next ns", "parse ns", "allocs/next", "zone and text"))
        for row in rows { measure(row) }
        measureRare()
        measureNever()
        measureCount()
        measureLongest()
    }

    // MARK: - Measurements

    private static func measure(_ row: Row) {
        guard let zone = zone(row.zone), let schedule = try? Schedule.cron(row.expression),
            let timetable = try? Timetable(schedule: schedule, zone: zone, anchor: row.start)
        else {
            print("\(row.name): cannot be measured")
            return
        }
        var after = row.start
        let next =
            best {
                after = row.start
                for _ in 0..<row.calls {
                    guard let fire = timetable.next(after: after) else { break }
                    after = fire
                }
            } / Double(row.calls)
        let before = allocations()
        after = row.start
        for _ in 0..<row.calls {
            guard let fire = timetable.next(after: after) else { break }
            after = fire
        }
        let allocated = allocations().flatMap { now in before.map { Double(now - $0) / Double(row.calls) } }
        print(
            line(
                row.name, rounded(next), rounded(parse(row.expression)), allocated.map(rounded) ?? "-",
                "\(row.zone) \(row.expression)"))
    }

    private static func parse(_ text: String) -> Double {
        let count = 10_000
        var months = 0
        let nanoseconds = best {
            for _ in 0..<count {
                guard let schedule = try? Schedule.cron(opaque(text)) else { return }
                months &+= schedule.text.utf8.count
            }
        }
        precondition(months > 0, "nothing was parsed")
        return nanoseconds / Double(count)
    }

    /// Dates that come once in decades, from an instant right after one of them.
    private static func measureRare() {
        for (text, begin) in [("0 0 29 2 */7", "2032-02-29T00:00:00Z"), ("0 0 * 2 MON#5", "2072-02-29T00:00:00Z")] {
            for name in ["UTC", "America/New_York"] {
                guard let zone = zone(name), let schedule = try? Schedule.cron(text),
                    let after = Instant(rfc3339: begin).map({ $0 + .seconds(86_400) }),
                    let timetable = try? Timetable(schedule: schedule, zone: zone, anchor: after)
                else { continue }
                var sum: Int64 = 0
                let count = 1_000
                let next =
                    best {
                        for _ in 0..<count { sum &+= timetable.next(after: opaque(after))?.microseconds ?? 0 }
                    } / Double(count)
                precondition(sum != 0, "\(text) was not found")
                print(line("rare date", rounded(next), rounded(parse(text)), "", "\(name) \(text)"))
            }
        }
    }

    private static func measureNever() {
        for text in ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 31W 2 *", "0 0 L-30 6 *"] {
            let count = 1_000
            var refused = 0
            let proof =
                best {
                    for _ in 0..<count where (try? Schedule.cron(opaque(text))) == nil { refused += 1 }
                } / Double(count)
            precondition(refused >= count, "\(text) was accepted")
            print(line("never fires", "", rounded(proof), "", "refused: \(text)"))
        }
    }

    /// Ten years missed, counted and the newest found.
    private static func measureCount() {
        guard let zone = zone("America/New_York"), let begin = Instant(rfc3339: "2016-03-07T12:00:00Z") else { return }
        let end = begin + .seconds(10 * 365 * 86_400)
        for text in ["* * * * *", "* * * * * *", "0 9 * * MON-FRI", "0 0 * 2 MON#5"] {
            guard let schedule = try? Schedule.cron(text),
                let timetable = try? Timetable(schedule: schedule, zone: zone, anchor: begin)
            else { continue }
            var total = 0
            let count =
                best {
                    for _ in 0..<100 { total &+= timetable.count(after: opaque(begin), through: end) }
                } / 100
            let previous =
                best {
                    for _ in 0..<100 { total &+= Int(timetable.previous(atOrBefore: opaque(end))?.seconds ?? 0) }
                } / 100
            let members = timetable.count(after: begin, through: end)
            print(
                line("ten years", rounded(count), rounded(previous), "", "count, previous: \(text), \(members) fires"))
        }
    }

    /// The longest texts that are read at all, in shapes that keep a parser busy: the slowest of each notation.
    private static func measureLongest() {
        let units = [
            "1,", "* ", "é", "*/2,", "L,", "15W,", "MON#1,", "MON,", "1h", "9", "1..2,", "H,", "Mon,", "61,", " ",
            "~1,",
        ]
        let prefixes = ["", "* * ", "* * * * ", "*:", "*-*~", "@every "]
        let parsers: [(String, (String) -> Bool)] = [
            ("cron", { (try? Schedule.cron($0)) != nil }),
            ("interval", { (try? Schedule.interval($0)) != nil }),
            ("calendar", { (try? Schedule.calendar($0) { _ in nil }) != nil }),
            ("once", { (try? Schedule.once($0, registeredAt: .epoch, zone: .utc, allowPast: true)) != nil }),
        ]
        for (name, parse) in parsers {
            var slowest = 0.0
            for unit in units {
                for prefix in prefixes {
                    let count = (Schedule.textLimit - prefix.utf8.count) / unit.utf8.count
                    let text = prefix + String(repeating: unit, count: count)
                    slowest = max(slowest, best { _ = parse(opaque(text)) })
                }
            }
            print(line("10,000 bytes", "", rounded(slowest), "", "slowest \(name)"))
        }
    }

    // MARK: - Clock and printing

    /// Hides from the optimizer that a value is the same each time, so that it cannot move a call out of its loop.
    @inline(never)
    @_optimize(none)
    private static func opaque<Value>(_ value: Value) -> Value { value }

    /// Nanoseconds of the fastest of some runs.
    private static func best(_ body: () -> Void) -> Double {
        var best = Double.infinity
        for _ in 0..<30 {
            let begin = now()
            body()
            best = min(best, Double(now() - begin))
        }
        return best
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    private static func rounded(_ value: Double) -> String {
        value < 10 ? String(Double(Int(value * 10)) / 10) : String(Int(value.rounded()))
    }

    private static func line(_ columns: String...) -> String {
        let widths = [18, 10, 10, 12, 0]
        return zip(columns, widths).map { text, width in
            text + String(repeating: " ", count: max(1, width - text.utf8.count))
        }.joined()
    }

    /// The counter of the preloaded malloc; none where it is not loaded.
    private static func allocations() -> Int? {
        guard let symbol = dlsym(nil, "counted_allocations") else { return nil }
        let count = Int(unsafeBitCast(symbol, to: (@convention(c) () -> UInt64).self)())
        precondition(count > 0, "the preloaded malloc counts nothing: reading the expressions alone allocates")
        return count
    }

    // MARK: - Input

    private static func rows(path: String) -> [Row]? {
        guard let text = contents(path).map({ String(decoding: $0, as: UTF8.self) }) else { return nil }
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { line in
            let columns = line.split(separator: "\t").map(String.init)
            guard columns.count == 6, let start = Instant(rfc3339: columns[4]), let calls = Int(columns[5]) else {
                return nil
            }
            return Row(
                name: columns[0], category: columns[1], expression: columns[2], zone: columns[3], start: start,
                calls: calls)
        }
    }

    private static func zone(_ name: String) -> TimeZoneRules? {
        contents("/usr/share/zoneinfo/\(name)").flatMap { try? TimeZoneRules(name: name, tzif: $0) }
    }

    private static func contents(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }
}
