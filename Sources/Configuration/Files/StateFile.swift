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
    /// A larger file is neither read nor written, so that a toggle never waits for it: some 6,000 overrides, which take
    /// 10 ms.
    public static let bytesMax = 256 << 10
    /// Further entries that say nothing are not listed.
    static let warningsMax = 20

    private var document: JSONDocument
    /// Entries that say nothing because they are not what they must be: what, where, and what would be right.
    public private(set) var warnings: [String] = []

    /// A file that is not there yet: its first toggle makes it.
    public init() {
        document = Self.empty
    }

    /// A file that begins with these overrides, made in one go: to set one after the other takes a look at all of it
    /// for each.
    public init(jobs: [(name: String, isEnabled: Bool)]) {
        self.init()
        guard !jobs.isEmpty else { return }
        let entries = jobs.map { ($0.name, JSONValue.object(["enabled": .bool($0.isEnabled)])) }
        let root: JSONValue = ["version": 1, "jobs": .object(JSONObject(entries))]
        do {
            document = try JSONDocument(bytes: Array((root.prettyText(indent: 2) + "\n").utf8))
        } catch {
            preconditionFailure("a state file that was written is no JSON: \(error)")
        }
    }

    /// One bad entry is a warning, so that it does not take the overrides of the others with it.
    ///
    /// - Throws: where there is no place for overrides, with line and column: the root, `services`, its `scheduler` or
    ///   `jobs` is no object.
    public init(document: JSONDocument) throws(ConfigurationError) {
        self.document = document
        for path in [[], ["services"], ["services", "scheduler"], ["jobs"]] as [[JSONPathStep]] {
            if let fault = fault(at: path, unless: .object) { throw fault }
        }
        warnings = [fault(at: Self.schedulerPath, unless: .bool)?.description].compactMap { $0 }
        for name in jobNames {
            // Finding the place of each of many takes time in proportion to all.
            guard warnings.count < Self.warningsMax else { break }
            let faults = [
                fault(at: ["jobs", .key(name)], unless: .object), fault(at: Self.path(ofJob: name), unless: .bool),
            ]
            warnings += faults.compactMap { $0?.description }
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

    /// Says nothing of a job any more. What else stands there of it stays.
    ///
    /// - Throws: as `setScheduler`.
    public mutating func forgetJob(_ name: String) throws(ConfigurationError) {
        do {
            let isAlone = document.root["jobs"]?[name]?.objectValue?.keys == ["enabled"]
            _ = try document.remove(at: isAlone ? ["jobs", .key(name)] : Self.path(ofJob: name))
        } catch {
            throw ConfigurationError(operation: "edit", object: "state.json", reason: error.description)
        }
    }

    private mutating func set(_ enabled: Bool, at path: [JSONPathStep]) throws(ConfigurationError) {
        do {
            if document.root.isNull { document = Self.empty }
            // What is no object on the way says nothing that could be kept, so one may stand in its place.
            for length in 1..<path.count {
                let holder = Array(path[..<length])
                guard let value = document.root[holder], value.kind != .object else { continue }
                try document.set(.object([:]), at: holder)
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
    private func fault(at path: [JSONPathStep], unless kind: JSONValue.Kind) -> ConfigurationError? {
        guard let value = document.root[path], !value.isNull, value.kind != kind else { return nil }
        let place = document.location(of: path)
        return ConfigurationError(
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
