internal import Configuration
internal import JSON
internal import Scheduling

/// config.json read and written for clients: every section, not only ours.
struct ConfigurationEdits {
    let path: String
    let reader: ConfigurationReader

    /// Begins to read the file as it stands now, which others may have written since it was last read.
    func reading(_ section: String, _ key: String) throws(SettingsError) -> ValueReading {
        do throws(ConfigurationError) {
            guard case .bytes(let bytes) = try ConfigurationFile.load(path: path) else {
                return ValueReading(path: path, extraction: nil)
            }
            return ValueReading(
                path: path,
                extraction: JSONExtraction(
                    bytes: bytes, path: Self.keys(section, key), mask: ConfigurationReader.secrets))
        } catch {
            throw .configuration(error)
        }
    }

    func update(_ section: String, _ key: String, _ value: JSONValue) throws(SettingsError) {
        guard !section.isEmpty else {
            throw .argument("section", found: "an empty string", expected: "the name of a section")
        }
        if section == Self.ownSection { try refuseUnknownKeys(key, value) }
        do {
            // A change that another program makes at the same time is merged: the edit is made of what is there.
            try FileReplacement.edit(path) { contents in
                guard case .bytes(let bytes) = contents else { throw self.isAway }
                var document = try ConfigurationFile.parse(bytes, path: path)
                try Self.set(value, section, key, in: &document)
                if section == Self.ownSection { try check(document.bytes, before: bytes) }
                guard document.bytes.count <= ConfigurationFile.bytesMax else {
                    throw SettingsError.tooLong(
                        "value", bytes: document.bytes.count, bytesMax: ConfigurationFile.bytesMax)
                }
                return document.bytes
            }
        } catch let error as SettingsError {
            throw error
        } catch let error as ConfigurationError {
            throw .configuration(error)
        } catch {
            throw .configuration(ConfigurationError(operation: "update", object: path, reason: "\(error)"))
        }
    }

    /// A file that is away is not made anew: everything else that stood in it would be gone for good.
    private var isAway: ConfigurationError {
        ConfigurationError(
            operation: "update", object: path,
            reason: "the file is away, and a new one would hold this key alone; restore it, or write {} to it first")
    }

    private static let ownSection = "schedules"

    private static func set(
        _ value: JSONValue, _ section: String, _ key: String, in document: inout JSONDocument
    ) throws(SettingsError) {
        let members = value.objectValue
        guard !key.isEmpty || members != nil else {
            throw .argument("value", found: value.kind.rawValue, expected: "an object, to be merged into the section")
        }
        do throws(JSONEditError) {
            guard key.isEmpty else { return try document.set(value, at: path(section, key)) }
            if document.root[section] == nil { try document.set(.object([:]), at: [.key(section)]) }
            for (name, value) in members ?? [:] { try document.set(value, at: [.key(section), .key(name)]) }
        } catch {
            throw .configuration(
                ConfigurationError(operation: "set", object: "\(section).\(key)", reason: error.description))
        }
    }

    /// A key that nobody reads is a mistake of whoever writes it: it is refused, where the reader of a file only warns.
    private func refuseUnknownKeys(_ key: String, _ value: JSONValue) throws(SettingsError) {
        let keys = key.isEmpty ? value.objectValue?.keys ?? [] : key.split(separator: ".").prefix(1).map(String.init)
        for name in keys {
            guard let nearest = ConfigurationReader.nearestSectionKey(toUnknown: name) else { continue }
            throw .configuration(
                ConfigurationError(
                    operation: "set", object: "\(Self.ownSection).\(name)",
                    reason: "no such key of \(Self.ownSection); the nearest is \"\(nearest)\""
                        + " (keys of your own begin with x-)"))
        }
    }

    /// A change must not take away what is good now, and add nothing that is ignored.
    private func check(_ bytes: [UInt8], before: [UInt8]) throws(ConfigurationError) {
        let next = try reader.read(outline: try ConfigurationFile.outline(bytes, path: path))
        let hidden = next.targets.withheld
        guard !next.refused.isEmpty || !next.runnerFaults.isEmpty || !hidden.isEmpty else { return }
        // What was refused before the change is not its fault; lines and columns of the reasons may have moved.
        let last = try? reader.read(outline: try ConfigurationFile.outline(before, path: path))
        // What was read with stars in it, and is written back, would overwrite what they stand for.
        if let name = hidden.subtracting(last?.targets.withheld ?? []).min() {
            throw ConfigurationError(
                operation: "take up", object: "the change", reason: next.targets.faults[name] ?? name)
        }
        let known = Set((last?.refused ?? []).map { [$0.name, $0.definition] })
        if let refused = next.refused.first(where: { !known.contains([$0.name, $0.definition]) }) {
            throw ConfigurationError(
                operation: "take up", object: "the change", reason: "\(refused.name): \(refused.error)")
        }
        let faults = next.runnerFaults.filter { last?.runnerFaults[$0.key] != $0.value }
        if let fault = faults.min(by: { $0.key < $1.key }) {
            throw ConfigurationError(operation: "take up", object: "the change", reason: fault.value)
        }
    }

    private static func path(_ section: String, _ key: String) -> [JSONPathStep] {
        keys(section, key).map { .key($0) }
    }

    private static func keys(_ section: String, _ key: String) -> [String] {
        [section] + key.split(separator: ".").map(String.init)
    }
}
