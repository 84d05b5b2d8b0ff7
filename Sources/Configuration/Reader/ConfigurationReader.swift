public import JSON
public import Schedules
public import Scheduling

/// Reads the section `schedules` and single definitions into values of the core.
///
/// A reader is made for one reading: it holds the instant at which new schedules are registered, and what is remembered
/// of the old ones.
public struct ConfigurationReader {
    let zones: ZoneDatabase
    let home: String
    let now: Instant
    /// By the name of the job.
    let registrations: [String: Registration]

    /// - Parameter home: what `~` stands for.
    public init(zones: ZoneDatabase, home: String, now: Instant, registrations: [String: Registration] = [:]) {
        self.zones = zones
        self.home = home
        self.now = now
        self.registrations = registrations
    }

    // MARK: - The file

    /// Reads the section `schedules` of config.json; without one there are no jobs.
    ///
    /// - Throws: where the section as a whole cannot be understood, with line and column: it is no object, `jobs` is no
    ///   array, the zone is unknown, a setting has the wrong type.
    public func read(document: JSONDocument) throws(ConfigurationError) -> Configuration {
        do {
            return try readSection(of: document)
        } catch {
            let place = location(of: error, below: [], in: document)
            throw ConfigurationError(
                operation: "read", object: "the configuration", reason: error.sectionMessage, line: place?.line,
                column: place?.column)
        }
    }

    /// Reads the elements of `schedules.jobs` into `configuration.jobs` and `.refused`.
    func readJobs(_ elements: [Field], in document: JSONDocument, into configuration: inout Configuration) {
        /// Name → the index of the job that has it.
        var taken: [String: Int] = [:]
        for (index, element) in elements.enumerated() {
            let name = nameField(of: element.value)?.value.stringValue
            do throws(FieldError) {
                var job = try readDefinition(element.value, in: configuration, madeUpName: nil, .remembered)
                if let first = taken[job.name] {
                    let path = nameField(of: element.value)?.path ?? []
                    throw FieldError(
                        path: path, "\"\(job.name)\" is taken by jobs[\(first)], which stands; names are unique")
                }
                job.origin = .config
                configuration.jobs.append(job)
            } catch {
                let place = location(of: error, below: element.path, in: document)
                let refusal = JobError(error, job: name, line: place?.line, column: place?.column)
                configuration.refused.append(
                    RefusedJob(
                        name: name ?? "jobs[\(index)]", definition: element.value.compactText,
                        error: refusal.description))
            }
            if let name, taken[name] == nil { taken[name] = index }
        }
    }

    // MARK: - One definition

    /// Reads a definition that came over the bus, or a stored one.
    ///
    /// - Parameters:
    ///   - isNew: whether a client asks for it now, as against one that the store kept: a `once` is then registered
    ///     anew (an interval that did not change keeps its grid either way).
    ///   - configuration: the defaults and runners that it stands on.
    ///   - madeUpName: the name where the definition has none; nil where it must have one.
    public func readJob(
        _ value: JSONValue, origin: Job.Origin, in configuration: Configuration, madeUpName: String? = nil,
        isNew: Bool = false
    ) throws(JobError) -> Job {
        do {
            var job = try readDefinition(
                value, in: configuration, madeUpName: madeUpName, isNew ? .renewed : .remembered)
            job.origin = origin
            return job
        } catch {
            throw JobError(error, job: nameField(of: value)?.value.stringValue).with(excerptOf: error, in: value)
        }
    }

    /// The member that names a job, in any spelling; nil where the definition is no object or has none.
    private func nameField(of value: JSONValue) -> Field? {
        guard let object = value.objectValue else { return nil }
        return Fields(inspecting: object, at: [], Self.jobVocabulary)["name"]
    }

    // MARK: - Places

    private func location(
        of error: FieldError, below base: [JSONPathStep], in document: JSONDocument
    ) -> (line: Int, column: Int)? {
        let path = base + error.path
        if error.isAboutKey, let place = document.keyLocation(of: path) { return place }
        // What is missing has no place of its own: that of what it is missing from.
        var ancestor = path
        while true {
            if let place = document.location(of: ancestor) { return place }
            if ancestor.isEmpty { return nil }
            ancestor.removeLast()
        }
    }
}

extension JobError {
    /// Longer expressions are shown without carets, which would stand on another line of most screens.
    private static let excerptMax = 200

    /// Adds the expression that an error is about, and carets under the place.
    func with(excerptOf error: FieldError, in definition: JSONValue) -> JobError {
        guard let schedule = error.schedule, let text = definition[error.path]?.stringValue,
            text.unicodeScalars.count <= Self.excerptMax, !text.unicodeScalars.contains(where: { $0.value < 0x20 })
        else { return self }
        let rest = text.unicodeScalars.dropFirst(schedule.position)
        let isThere = !schedule.value.isEmpty && rest.starts(with: schedule.value.unicodeScalars)
        let length = isThere ? schedule.value.unicodeScalars.count : 1
        var copy = self
        copy.excerpt =
            text + "\n" + String(repeating: " ", count: min(schedule.position, text.unicodeScalars.count))
            + String(repeating: "^", count: length)
        return copy
    }

    init(_ error: FieldError, job: String?, line: Int? = nil, column: Int? = nil) {
        self.init(
            kind: error.kind, job: job, key: error.path.isEmpty ? "" : error.path.pathText, message: error.message,
            line: line, column: column)
    }
}

extension FieldError {
    /// The message for one who knows no key yet.
    fileprivate var sectionMessage: String {
        kind == .schedule ? "\(path.pathText): \(message)" : message
    }
}
