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
    let registration: (String) -> Registration?

    /// - Parameters:
    ///   - home: what `~` stands for.
    ///   - registration: what is remembered of the job of a name. Looked up, because the reader of one definition has
    ///     no time to gather those of all jobs.
    public init(
        zones: ZoneDatabase, home: String, now: Instant,
        registration: @escaping (_ job: String) -> Registration? = { _ in nil }
    ) {
        self.zones = zones
        self.home = home
        self.now = now
        self.registration = registration
    }

    // MARK: - The file

    /// Reads the section `schedules` of config.json; without one there are no jobs.
    ///
    /// The jobs are taken apart one by one, so that a file of a hundred thousand needs little more memory than its
    /// text.
    ///
    /// - Parameter outline: as `ConfigurationFile.outline` makes it.
    /// - Throws: where the section as a whole cannot be understood, with line and column: it is no object, it is there
    ///   twice, `jobs` is no array, the zone is unknown, a setting has the wrong type. The error's object is
    ///   `sectionObject`.
    public func read(outline: JSONOutline) throws(ConfigurationError) -> Configuration {
        do {
            return try readSection(of: outline)
        } catch {
            // The machine's zone stands in no file.
            let isElsewhere = error.schedule != nil && error.path.isEmpty
            let place = isElsewhere ? nil : location(of: error, below: nil, in: outline)
            throw ConfigurationError(
                operation: "read", object: Self.sectionObject, reason: error.sectionMessage, line: place?.line,
                column: place?.column)
        }
    }

    /// As above, of a text that is taken apart already.
    public func read(document: JSONDocument) throws(ConfigurationError) -> Configuration {
        try read(outline: try ConfigurationFile.outline(document.bytes, path: Self.sectionObject))
    }

    /// What an error of the section is about, for those who do not know the file.
    public static let sectionObject = "the configuration"

    /// Reads the elements of `schedules.jobs` into `configuration.jobs` and `.refused`.
    func readJobs(_ elements: [JSONOutline.Node], in outline: JSONOutline, into configuration: inout Configuration) {
        configuration.jobs.reserveCapacity(elements.count)
        var sharing = JobSharing()
        let frames = JobFrames(ownKeys: Self.ownKeys)
        /// Name → the index of the job that has it.
        var taken: [String: Int] = [:]
        taken.reserveCapacity(elements.count)
        var repeated = RepeatedDefinitions(outline, self)
        for (index, element) in elements.enumerated() {
            let mayRepeat = repeated.look(at: element)
            if mayRepeat, let job = repeated.job(definition: outline.compactText(of: element)) {
                let first = taken.updateValue(index, forKey: job.name)
                if first == nil {
                    configuration.jobs.append(job)
                    continue
                }
                // It is refused below, with the words for it.
                taken[job.name] = first
            }
            let value = outline.value(of: element)
            do throws(FieldError) {
                var job = try readDefinition(
                    value, text: outline.compactText(of: element), in: configuration, madeUpName: nil, .remembered,
                    frames: frames)
                if let first = taken[job.name] {
                    let path = nameField(of: value)?.path ?? []
                    throw FieldError(
                        path: path, "\"\(job.name)\" is taken by jobs[\(first)], which stands; names are unique")
                }
                if job.deleteAfter != nil {
                    throw FieldError(
                        path: [.key("delete_after")],
                        "is for jobs that come over the bus; what stands in a file is removed there")
                }
                job.origin = .config
                taken[job.name] = index
                sharing.share(&job)
                if mayRepeat { repeated.keep(job) }
                configuration.jobs.append(job)
            } catch {
                let name = nameField(of: value)?.value.stringValue
                let place = location(of: error, below: element, in: outline)
                let refusal = JobError(error, job: name, line: place?.line, column: place?.column)
                configuration.refused.append(
                    RefusedJob(
                        name: name ?? "jobs[\(index)]", definition: value.compactText, error: refusal.description))
                // A good one of its name does not take its place.
                if let name, taken[name] == nil { taken[name] = index }
            }
        }
    }

    /// A job that closes a circle of chains with ones before it is refused; those stand.
    func refuseCircles(_ elements: [JSONOutline.Node], in outline: JSONOutline, into configuration: inout Configuration)
    {
        let circles = ChainGraph.circles(in: configuration.jobs)
        guard !circles.isEmpty else { return }
        var nodes: [String: JSONOutline.Node] = [:]
        for element in elements {
            guard let name = nameField(of: outline.value(of: element))?.value.stringValue, nodes[name] == nil else {
                continue
            }
            nodes[name] = element
        }
        for (index, circle) in circles {
            let job = configuration.jobs[index]
            let place = location(
                of: FieldError(path: [], ChainGraph.error(of: circle)), below: nodes[job.name], in: outline)
            let refusal = JobError(
                FieldError(path: [], ChainGraph.error(of: circle)), job: job.name, line: place?.line,
                column: place?.column)
            configuration.refused.append(
                RefusedJob(name: job.name, definition: job.definition, error: refusal.description))
        }
        let refused = Set(circles.map(\.index))
        configuration.jobs = configuration.jobs.enumerated().filter { !refused.contains($0.offset) }.map(\.element)
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
        of error: FieldError, below node: JSONOutline.Node?, in outline: JSONOutline
    ) -> (line: Int, column: Int)? {
        if error.isAboutKey, let place = outline.keyLocation(of: error.path, below: node) { return place }
        // What is missing has no place of its own: that of what it is missing from.
        var ancestor = error.path
        while true {
            if let place = outline.location(of: ancestor, below: node) { return place }
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
        kind == .schedule && !path.isEmpty ? "\(path.pathText): \(message)" : message
    }
}
