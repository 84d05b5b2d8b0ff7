import Configuration
import Glibc

/// The names of the zones of this machine, for who mistyped one.
struct ZoneNames {
    /// Names that are looked at; a machine has some 600. What is beyond is not suggested.
    static let countMax = 5_000
    /// `America/Argentina/Buenos_Aires` is the deepest.
    private static let depthMax = 3

    let directory: String

    /// Abbreviations that are no zones: they have no rule for the change of the clocks, and several mean many places.
    /// What is suggested is where most of their users live.
    private static let places = [
        "PST": "America/Los_Angeles", "PDT": "America/Los_Angeles", "PT": "America/Los_Angeles",
        "MDT": "America/Denver", "MT": "America/Denver", "CST": "America/Chicago", "CDT": "America/Chicago",
        "CT": "America/Chicago", "EDT": "America/New_York", "ET": "America/New_York", "BST": "Europe/London",
        "CEST": "Europe/Berlin", "EEST": "Europe/Athens", "WEST": "Europe/Lisbon", "MSK": "Europe/Moscow",
        "IST": "Asia/Kolkata", "JST": "Asia/Tokyo", "KST": "Asia/Seoul", "SGT": "Asia/Singapore",
        "HKT": "Asia/Hong_Kong", "AEST": "Australia/Sydney", "AEDT": "Australia/Sydney", "NZST": "Pacific/Auckland",
        "NZDT": "Pacific/Auckland", "Z": "UTC",
    ]

    var all: [String] {
        var names: [String] = []
        collect("", depth: 1, &names)
        return names
    }

    func nearest(to name: String) -> String? {
        if let place = Self.places[name.uppercased()] { return place }
        let names = all
        // Blanks are how people write the name of a city.
        let joined = String(name.map { $0 == " " ? "_" : $0 })
        if let found = names.first(where: { $0.lowercased() == joined.lowercased() }) { return found }
        return NearestName.nearest(to: joined, among: names.sorted())
    }

    private func collect(_ prefix: String, depth: Int, _ names: inout [String]) {
        guard let folder = opendir(directory + "/" + prefix) else { return }
        defer { closedir(folder) }
        while names.count < Self.countMax, let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            // Zones and their folders begin with a capital; what else is there is data about them.
            guard name.first?.isUppercase == true else { continue }
            if entry.pointee.d_type == UInt8(DT_DIR) {
                if depth < Self.depthMax { collect(prefix + name + "/", depth: depth + 1, &names) }
            } else {
                names.append(prefix + name)
            }
        }
    }
}
