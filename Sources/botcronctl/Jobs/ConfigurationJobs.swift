import Configuration
import Contract
import JSON
import Scheduling

/// Jobs of config.json, changed where they stand: everything else in the file keeps its order and its layout,
/// and what other programs write at the same time is kept.
struct ConfigurationJobs {
    let path: String
    private let context: Context

    /// - Parameter daemon: says which file is its own.
    init(of daemon: Daemon, _ context: Context) throws(Failure) {
        path = try daemon.json(.getStats).text("configuration")
        self.context = context
    }

    func remove(_ name: String) throws(Failure) {
        try edit(name) { document, index in try document.remove(at: Self.jobs + [.index(index)]) }
    }

    func replace(_ name: String, by definition: JSONValue) throws(Failure) {
        try edit(name, becomes: definition["name"]?.stringValue ?? name) { document, index in
            try document.set(definition, at: Self.jobs + [.index(index)])
        }
    }

    /// The new name is put where the old one is, whichever of its spellings the definition has.
    func rename(_ name: String, to new: String) throws(Failure) {
        try edit(name, becomes: new) { document, index in
            let key =
                JSONObject.nameKeys.first { document.root[Self.jobs + [.index(index), .key($0)]] != nil } ?? "name"
            try document.set(.string(new), at: Self.jobs + [.index(index), .key(key)])
        }
    }

    func setTags(_ tags: [String], of name: String) throws(Failure) {
        try edit(name, becomes: name) { document, index in
            try document.set(.array(tags.map { .string($0) }), at: Self.jobs + [.index(index), "tags"])
        }
    }

    /// Puts a job behind the others.
    func append(_ definition: JSONValue, as name: String) throws(Failure) {
        try write(checking: name) { document in
            let count = document.root[Self.jobs]?.arrayValue?.count ?? 0
            try document.set(definition, at: Self.jobs + [.index(count)])
        }
    }

    /// The definition as it stands in the file.
    func definition(of name: String) throws(Failure) -> JSONValue? {
        let root: JSONValue
        do throws(ConfigurationError) {
            guard case .bytes(let bytes) = try ConfigurationFile.load(path: path) else { return nil }
            root = try ConfigurationFile.parse(bytes, path: path).root
        } catch {
            throw Self.failure(error)
        }
        return Self.index(of: name, in: root).flatMap { root[Self.jobs + [.index($0)]] }
    }

    // MARK: - Editing

    private static let jobs: [JSONPathStep] = ["schedules", "jobs"]

    private static func index(of name: String, in root: JSONValue) -> Int? {
        root[jobs]?.arrayValue?.firstIndex { $0.objectValue?.jobName == name }
    }

    private func edit(
        _ name: String, becomes new: String? = nil, _ change: (inout JSONDocument, Int) throws -> Void
    ) throws(Failure) {
        try write(checking: new) { document in
            guard let index = Self.index(of: name, in: document.root) else {
                throw ConfigurationError(
                    operation: "find", object: "the job \"\(name)\" in \(path)",
                    reason: "it is no longer there; botcronctl reload tells the daemon")
            }
            try change(&document, index)
        }
    }

    /// - Parameter name: a job that must be good afterwards.
    private func write(checking name: String?, _ change: (inout JSONDocument) throws -> Void) throws(Failure) {
        do {
            try FileReplacement.edit(path) { contents in
                guard case .bytes(let bytes) = contents else {
                    throw ConfigurationError(operation: "read", object: path, reason: "there is no such file")
                }
                var document = try ConfigurationFile.parse(bytes, path: path)
                try change(&document)
                if let name { try check(name, document) }
                return document.bytes
            }
        } catch let failure as Failure {
            throw failure
        } catch let error as ConfigurationError {
            throw Self.failure(error)
        } catch {
            throw Failure(ExitCode.failure, ServiceError.invalidConfig.name, "\(path) cannot be changed: \(error)")
        }
    }

    private func check(_ name: String, _ document: JSONDocument) throws {
        let refused = try context.configurationReader.read(document: document).refused.first { $0.name == name }
        guard let refused else { return }
        var failure = Failure(ExitCode.failure, ServiceError.invalidJob.name, "\(refused.name): \(refused.error)")
        failure.refusal = Refusal(refused.error, definition: try? JSONValue(parsing: refused.definition))
        throw failure
    }

    private static func failure(_ error: ConfigurationError) -> Failure {
        Failure(ExitCode.failure, ServiceError.invalidConfig.name, "\(error)")
    }
}
