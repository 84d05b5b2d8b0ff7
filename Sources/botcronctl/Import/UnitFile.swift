/// A unit of systemd, as text: its settings in order.
///
/// Source: systemd.syntax(7).
struct UnitFile {
    struct Setting: Equatable {
        var section: String
        var key: String
        var value: String
        /// The line that it begins on, from 1.
        var line: Int
    }

    /// `backup.timer`.
    var name: String
    /// Where it lies; empty where nobody knows.
    var path: String
    private(set) var settings: [Setting] = []
    /// Lines that are no setting, by number.
    private(set) var strayLines: [Int] = []

    init(name: String, path: String = "", _ text: String, firstLine: Int = 1) {
        (self.name, self.path) = (name, path)
        var section = ""
        var open: Setting?
        for (index, line) in Self.lines(text).enumerated() {
            let number = firstLine + index
            let line = line.trimmed
            // Also within a setting that goes on.
            if line.hasPrefix("#") || line.hasPrefix(";") { continue }
            if var setting = open {
                let more = Self.withoutBackslash(line).trimmed
                if !more.isEmpty { setting.value += (setting.value.isEmpty ? "" : " ") + more }
                open = line.hasSuffix("\\") ? setting : nil
                if open == nil { settings.append(setting) }
            } else if line.hasPrefix("["), line.hasSuffix("]") {
                section = String(line.dropFirst().dropLast())
            } else if let equals = line.firstIndex(of: "=") {
                let value = line[line.index(after: equals)...].trimmed
                let setting = Setting(
                    section: section, key: String(line[..<equals].trimmed),
                    value: String(Self.withoutBackslash(value).trimmed), line: number)
                if value.hasSuffix("\\") { open = setting } else { settings.append(setting) }
            } else if !line.isEmpty {
                strayLines.append(number)
            }
        }
        if let open { settings.append(open) }
    }

    /// However they end: CR LF is one character.
    private static func lines(_ text: String) -> [Substring] {
        text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
    }

    private static func withoutBackslash(_ line: Substring) -> Substring {
        line.hasSuffix("\\") ? line.dropLast() : line
    }

    /// All values of a key; an empty one takes back what was before it.
    func values(_ key: String, in section: String) -> [String] {
        var values: [String] = []
        for setting in settings where setting.section == section && setting.key == key {
            if setting.value.isEmpty { values = [] } else { values.append(setting.value) }
        }
        return values
    }

    /// The last value, which counts where only one can.
    func value(_ key: String, in section: String) -> String? { values(key, in: section).last }

    func flag(_ key: String, in section: String) -> Bool {
        ["1", "yes", "y", "true", "t", "on"].contains(value(key, in: section)?.lowercased() ?? "")
    }

    // MARK: - Several in one text

    /// What `systemctl cat` prints: each file behind a comment that is its path. Drop-ins count for the unit before
    /// them. A text without such comments is one unit.
    static func all(in text: String, named name: String) -> [UnitFile] {
        var parts: [(path: String, text: String, line: Int)] = []
        for (index, line) in lines(text).enumerated() {
            if let path = path(in: line) {
                // A folder of drop-ins is named for its unit.
                if path.hasSuffix(".conf"), !parts.isEmpty { continue }
                parts.append((path, "", index + 2))
            } else if parts.isEmpty {
                if line.trimmed.isEmpty { continue }
                parts.append((name, String(line) + "\n", index + 1))
            } else {
                parts[parts.count - 1].text += line + "\n"
            }
        }
        return parts.map { part in
            UnitFile(
                name: part.path.split(separator: "/").last.map(String.init) ?? name, path: part.path, part.text,
                firstLine: part.line)
        }
    }

    private static func path(in line: Substring) -> String? {
        guard line.hasPrefix("# /") || line.hasPrefix("# ~/") else { return nil }
        let path = line.dropFirst(2)
        let endings = [".timer", ".service", ".conf"]
        return endings.contains(where: { path.hasSuffix($0) }) && !path.contains(" ") ? String(path) : nil
    }
}
