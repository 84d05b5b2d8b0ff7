public import JSON

/// `state.json`: the overrides of `enabled`, shared with other programs that read and write it.
///
/// ```json
/// {"version": 1, "services": {"scheduler": {"enabled": false}}, "jobs": {"backup": {"enabled": true}}}
/// ```
///
/// Reading and editing only: the bytes come from and go to whoever keeps the file. An edit changes one word of it and
/// leaves every other byte, known or not, alone.
public struct StateFile: Sendable {
    private var document: JSONDocument

    /// A file that is not there yet: its first toggle makes it.
    public init() {
        document = Self.empty
    }

    /// - Throws: where a part that matters is not what it must be, with line and column. What others keep beside it, and
    ///   entries without `enabled`, are no trouble.
    public init(document: JSONDocument) throws(ConfigurationError) {
        self.document = document
        for path in [[], ["services"], ["services", "scheduler"], ["jobs"]] as [[JSONPathStep]] {
            try check(path, is: .object)
        }
        try check(Self.schedulerPath, is: .bool)
        for name in jobNames {
            try check(["jobs", .key(name)], is: .object)
            try check(Self.path(ofJob: name), is: .bool)
        }
    }

    // MARK: - Overrides

    /// Nil where nothing is said.
    public var isSchedulerEnabled: Bool? { document.root[Self.schedulerPath]?.boolValue }

    /// Job → whether it is enabled; jobs of which nothing is said are not in it.
    public var isJobEnabled: [String: Bool] {
        var overrides: [String: Bool] = [:]
        for name in jobNames { overrides[name] = document.root[Self.path(ofJob: name)]?.boolValue }
        return overrides
    }

    /// What the file holds.
    public var bytes: [UInt8] { document.bytes }

    // MARK: - Toggles

    /// - Throws: where the file would pass a limit of JSON; it is then unchanged.
    public mutating func setScheduler(enabled: Bool) throws(ConfigurationError) {
        try set(enabled, at: Self.schedulerPath)
    }

    /// - Throws: as `setScheduler`.
    public mutating func setJob(_ name: String, enabled: Bool) throws(ConfigurationError) {
        try set(enabled, at: Self.path(ofJob: name))
    }

    private mutating func set(_ enabled: Bool, at path: [JSONPathStep]) throws(ConfigurationError) {
        do {
            if document.root.isNull { document = Self.empty }
            // `null` on the way says nothing and holds nothing, so an object may stand in its place.
            for length in 1..<path.count where document.root[Array(path[..<length])]?.isNull == true {
                try document.set(.object([:]), at: Array(path[..<length]))
            }
            try document.set(.bool(enabled), at: path)
        } catch {
            throw ConfigurationError(operation: "edit", object: "state.json", reason: error.description)
        }
    }

    // MARK: - Places

    private static let schedulerPath: [JSONPathStep] = ["services", "scheduler", "enabled"]

    private static func path(ofJob name: String) -> [JSONPathStep] { ["jobs", .key(name), "enabled"] }

    private var jobNames: [String] { document.root["jobs"]?.objectValue?.keys ?? [] }

    /// `null` and what is not there are fine.
    private func check(_ path: [JSONPathStep], is kind: JSONValue.Kind) throws(ConfigurationError) {
        guard let value = document.root[path], !value.isNull, value.kind != kind else { return }
        let place = document.location(of: path)
        throw ConfigurationError(
            operation: "read", object: "state.json",
            reason: "\(path.pathText) is \(value.kind.rawValue); expected \(kind.rawValue)", line: place?.line,
            column: place?.column)
    }

    private static let empty: JSONDocument = {
        do {
            return try JSONDocument(bytes: Array("{\n  \"version\": 1\n}\n".utf8))
        } catch {
            preconditionFailure("the empty state file is no JSON: \(error)")
        }
    }()
}
