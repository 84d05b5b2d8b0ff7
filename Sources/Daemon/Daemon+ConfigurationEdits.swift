import Configuration
import DBus
import JSON
import Scheduling

/// config.json read and written for clients: every section, not only ours.
extension Daemon {
    /// A section, or what stands at a dotted key in it; nil where there is nothing.
    func configurationValue(_ section: String, _ key: String) throws -> JSONValue? {
        try loadConfigurationDocument()?.root[Self.path(section, key)]
    }

    /// Writes one value and keeps everything else: other keys, their order, the layout, the file's mode.
    ///
    /// An empty key merges an object into the section. A change that would refuse a job that is good now, or make the
    /// section unreadable, is refused, and nothing is written.
    func updateConfiguration(_ section: String, _ key: String, _ value: JSONValue) throws {
        guard !section.isEmpty else {
            throw ErrorReply.invalidArgument("section", found: "an empty string", expected: "the name of a section")
        }
        var document = try loadConfigurationDocument() ?? Self.emptyDocument()
        do {
            if key.isEmpty {
                guard let members = value.objectValue else {
                    throw ErrorReply.invalidArgument(
                        "value", found: value.kind.rawValue, expected: "an object, to be merged into the section")
                }
                if document.root[section] == nil { try document.set(.object([:]), at: [.key(section)]) }
                for (name, value) in members { try document.set(value, at: [.key(section), .key(name)]) }
            } else {
                try document.set(value, at: Self.path(section, key))
            }
        } catch let error as JSONEditError {
            throw ErrorReply.invalidConfiguration("cannot set \(section).\(key): \(error.description)")
        }
        if section == "schedules" { try check(document) }
        do throws(ConfigurationError) {
            try FileReplacement.replace(configurationPath, with: document.bytes)
            _ = try reload()
        } catch {
            throw ErrorReply.invalidConfiguration(error)
        }
    }

    /// A change must not take away what is good now.
    private func check(_ document: JSONDocument) throws {
        do throws(ConfigurationError) {
            let reader = ConfigurationReader(zones: zones, home: home, now: now, registrations: currentRegistrations)
            let next = try reader.read(document: document)
            let known = Set(configuration.refused.map(\.error))
            if let refused = next.refused.first(where: { !known.contains($0.error) }) {
                throw ConfigurationError(
                    operation: "take up", object: "the change", reason: "\(refused.name): \(refused.error)")
            }
        } catch {
            throw ErrorReply.invalidConfiguration(error)
        }
    }

    /// The file as it stands now, which others may have written since it was last read; nil where there is none.
    private func loadConfigurationDocument() throws -> JSONDocument? {
        do throws(ConfigurationError) {
            switch try ConfigurationFile.load(path: configurationPath) {
            case .absent: return nil
            case .bytes(let bytes): return try ConfigurationFile.parse(bytes, path: configurationPath)
            }
        } catch {
            throw ErrorReply.invalidConfiguration(error)
        }
    }

    private static func emptyDocument() throws -> JSONDocument { try JSONDocument(bytes: Array("{}\n".utf8)) }

    private static func path(_ section: String, _ key: String) -> [JSONPathStep] {
        [.key(section)] + key.split(separator: ".").map { .key(String($0)) }
    }
}
