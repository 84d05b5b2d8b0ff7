import Foundation
import Schedules

/// The zone files of the machine that runs the tests, each read once.
final class InstalledZones: @unchecked Sendable {
    static let shared = InstalledZones()

    private let lock = NSLock()
    private var zones: [String: TimeZoneRules] = [:]
    private let directory = "/usr/share/zoneinfo"

    func zone(_ name: String) -> TimeZoneRules? {
        lock.withLock {
            if let zone = zones[name] { return zone }
            guard !name.contains("//"), let data = FileManager.default.contents(atPath: directory + "/" + name) else {
                return nil
            }
            guard let zone = try? TimeZoneRules(name: name, tzif: [UInt8](data)) else { return nil }
            zones[name] = zone
            return zone
        }
    }

    /// The bytes of a zone file.
    func bytes(_ name: String) -> [UInt8] {
        [UInt8](FileManager.default.contents(atPath: directory + "/" + name) ?? Data())
    }

    /// Every installed zone, without the copies under other assumptions.
    var names: [String] {
        let all = FileManager.default.enumerator(atPath: directory)?.compactMap { $0 as? String } ?? []
        return all.filter { !$0.hasPrefix("posix") && !$0.hasPrefix("right") && zone($0) != nil }.sorted()
    }
}
