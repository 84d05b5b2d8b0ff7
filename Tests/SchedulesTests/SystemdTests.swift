import Foundation
import Schedules
import TestSupport
import Testing

/// Calendar events against the program whose notation they are. Only in zones and years without a change of offset:
/// at those the two differ on purpose.
@Suite(.enabled(if: Program("/usr/bin/systemd-analyze").isInstalled)) struct SystemdTests {
    private let systemd = Program("/usr/bin/systemd-analyze")
    private static let base = "2026-03-07 17:00:00 UTC"
    private static let after = Instant(seconds: 1_772_902_800)

    /// The next ten fires that systemd names, as seconds.
    private func fires(_ text: String, from base: String = base) throws -> [Int64]? {
        let (output, status) = try systemd.output(["calendar", "--iterations=10", "--base-time=\(base)", text])
        guard status == 0 else { return nil }
        return output.split(separator: "\n").compactMap { line in
            let isFire = line.contains("Next elapse:") || line.contains("Iter. #") || line.contains("Iteration #")
            guard isFire || line.contains("(in UTC):") else { return nil }
            // "    Next elapse: Mon 2026-03-09 09:00:00 UTC", in another zone followed by "       (in UTC): …".
            guard line.hasSuffix(" UTC") else { return nil }
            let words = line.split(separator: " ").suffix(3)
            return Instant(rfc3339: words.prefix(2).joined(separator: "T") + "Z")?.seconds
        }
    }

    private func ours(_ text: String) throws -> [Int64] {
        let schedule = try Schedule.calendar(text) { InstalledZones.shared.zone($0) }
        let table = try Timetable(schedule: schedule, zone: .utc, anchor: .epoch)
        var fires: [Int64] = []
        var after = Self.after
        while fires.count < 10, let next = table.next(after: after) {
            fires.append(next.seconds)
            after = next
        }
        return fires
    }

    /// Whether the first fire in which the two differ is ours alone, is in January, and is systemd's own when it is
    /// asked from the evening before.
    private func isOverlooked(_ text: String, _ found: [Int64], _ expected: [Int64]) throws -> Bool {
        guard let place = zip(found, expected).first(where: { $0 != $1 }), place.0 < place.1 else { return false }
        let fire = Instant(seconds: place.0).rfc3339(in: .utc)
        let dayBefore = Instant(seconds: place.0 - 86_400).rfc3339(in: .utc)
        guard fire.dropFirst(5).hasPrefix("01-"), dayBefore.prefix(4) == fire.prefix(4) else { return false }
        return try fires(text, from: "\(dayBefore.prefix(10)) 23:59:59 UTC")?.first == place.0
    }

    @Test func randomEventsFireWhereSystemdSaysSo() throws {
        var random = SeededGenerator(seed: TestSettings.seed &+ 5)
        var compared = 0
        for _ in 0..<(TestSettings.isLong ? 3_000 : 120) {
            var generator = EventGenerator(random: SeededGenerator(seed: random.next()))
            let text = generator.event()
            let expected = try fires(text)
            do {
                let found = try ours(text)
                // From afar systemd (252) may overlook the first days of a year, which it names from nearby.
                if found != expected, try isOverlooked(text, found, expected ?? []) { continue }
                #expect(found == expected, "\"\(text)\", seed \(TestSettings.seed)")
                compared += 1
            } catch let error as ScheduleError where error.code == .neverFires {
                #expect(expected ?? [] == [], "\"\(text)\" is said never to fire, seed \(TestSettings.seed)")
            } catch let error as ScheduleError {
                #expect(expected == nil, "\"\(text)\" is refused: \(error), seed \(TestSettings.seed)")
            }
        }
        #expect(compared > 60)
    }

    /// Texts near the grammar: whatever is read here systemd reads too.
    @Test func nothingIsReadThatSystemdRefuses() throws {
        var random = SeededGenerator(seed: TestSettings.seed &+ 6)
        var accepted: [String] = []
        for _ in 0..<(TestSettings.isLong ? 400_000 : 20_000) {
            var generator = EventGenerator(random: SeededGenerator(seed: random.next()))
            var characters = Array(generator.event())
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let alphabet = Array("0123456789*~-/.,: MonSatFriUTC")
                let place = Int.random(in: 0..<characters.count, using: &random)
                let character = alphabet.randomElement(using: &random) ?? "*"
                switch Int.random(in: 0..<3, using: &random) {
                case 0: characters[place] = character
                case 1: characters.insert(character, at: place)
                default: characters.remove(at: place)
                }
                if characters.isEmpty { characters = ["*"] }
            }
            let text = String(characters)
            do {
                _ = try Schedule.calendar(text) { InstalledZones.shared.zone($0) }
            } catch {
                guard error.code == .neverFires else { continue }
            }
            if text.first != "-" { accepted.append(text) }
        }
        #expect(accepted.count > 100)
        for begin in stride(from: 0, to: accepted.count, by: 400) {
            let some = Array(accepted[begin..<min(begin + 400, accepted.count)])
            guard try systemd.output(["calendar"] + some).status != 0 else { continue }
            for text in some {
                let status = try systemd.output(["calendar", text]).status
                #expect(status == 0, "systemd refuses \"\(text)\", seed \(TestSettings.seed)")
            }
        }
    }
}

/// Makes random calendar events.
private struct EventGenerator {
    var random: SeededGenerator

    mutating func event() -> String {
        if number(0, 19) == 0 {
            let names = ["minutely", "hourly", "daily", "weekly", "monthly", "quarterly", "semiannually", "yearly"]
            return names[number(0, 7)] + zone()
        }
        var parts: [String] = []
        if chance(40) { parts.append(weekdays()) }
        if chance(60) { parts.append(date()) }
        if chance(75) || parts.isEmpty { parts.append(time()) }
        return parts.joined(separator: " ") + zone()
    }

    private mutating func number(_ low: Int, _ high: Int) -> Int { Int.random(in: low...high, using: &random) }

    private mutating func chance(_ percent: Int) -> Bool { number(0, 99) < percent }

    private mutating func zone() -> String {
        chance(15) ? [" UTC", " Asia/Tokyo", " Asia/Kolkata"][number(0, 2)] : ""
    }

    private mutating func weekdays() -> String {
        let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
        let long = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
        var items: [String] = []
        for _ in 0..<number(1, 3) {
            let first = number(0, 6)
            let last = number(first, 6)
            switch number(0, 3) {
            case 0: items.append(long[first])
            case 1: items.append("\(names[first])..\(names[last])")
            case 2: items.append("\(names[first])-\(names[last])")
            default: items.append(names[first].lowercased())
            }
        }
        return items.joined(separator: ",")
    }

    private mutating func date() -> String {
        let month = component(1, 12)
        let isTilde = chance(25)
        let day = isTilde ? component(1, 28, isFromEnd: true) : component(1, 31)
        let monthAndDay = "\(month)\(isTilde ? "~" : "-")\(day)"
        if chance(30) { return monthAndDay }
        let year = chance(70) ? "*" : component(2024, 2040)
        return "\(year)-\(monthAndDay)"
    }

    private mutating func time() -> String {
        let time = "\(component(0, 23)):\(component(0, 59))"
        return chance(50) ? time : "\(time):\(component(0, 59))"
    }

    private mutating func component(_ low: Int, _ high: Int, isFromEnd: Bool = false) -> String {
        if chance(30) { return "*" }
        var items: [String] = []
        for _ in 0..<(chance(70) ? 1 : number(2, 3)) {
            let first = number(low, high)
            let last = number(first, high)
            let step = number(1, max(1, (high - low) / 2))
            switch number(0, 3) {
            case 0: items.append("\(first)..\(last)")
            case 1: items.append("\(first)..\(last)/\(step)")
            case 2: items.append("\(first)/\(step)")
            default: items.append(chance(50) ? "\(first)" : padded(first))
            }
        }
        return items.joined(separator: ",")
    }

    private func padded(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
