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
        do {
            // A change that another program makes at the same time is merged: the edit is made of what is there.
            try FileReplacement.edit(configurationPath) { contents in
                var document = try self.document(in: contents) ?? Self.emptyDocument()
                try Self.set(value, section, key, in: &document)
                if section == "schedules" { try check(document) }
                guard document.bytes.count <= ConfigurationFile.bytesMax else {
                    throw ErrorReply.tooLong("value", document.bytes.count, ConfigurationFile.bytesMax)
                }
                return document.bytes
            }
            _ = try reload()
        } catch let error as ConfigurationError {
            throw ErrorReply.invalidConfiguration(error)
        }
    }

    private static func set(
        _ value: JSONValue, _ section: String, _ key: String, in document: inout JSONDocument
    ) throws {
        do {
            guard key.isEmpty else { return try document.set(value, at: path(section, key)) }
            guard let members = value.objectValue else {
                throw ErrorReply.invalidArgument(
                    "value", found: value.kind.rawValue, expected: "an object, to be merged into the section")
            }
            if document.root[section] == nil { try document.set(.object([:]), at: [.key(section)]) }
            for (name, value) in members { try document.set(value, at: [.key(section), .key(name)]) }
        } catch let error as JSONEditError {
            throw ErrorReply.invalidConfiguration("cannot set \(section).\(key): \(error.description)")
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
            return try document(in: try ConfigurationFile.load(path: configurationPath))
        } catch {
            throw ErrorReply.invalidConfiguration(error)
        }
    }

    private func document(in contents: ConfigurationFile.Contents) throws(ConfigurationError) -> JSONDocument? {
        switch contents {
        case .absent: nil
        case .bytes(let bytes): try ConfigurationFile.parse(bytes, path: configurationPath)
        }
    }

    private static func emptyDocument() throws -> JSONDocument { try JSONDocument(bytes: Array("{}\n".utf8)) }

    private static func path(_ section: String, _ key: String) -> [JSONPathStep] {
        [.key(section)] + key.split(separator: ".").map { .key(String($0)) }
    }
}
