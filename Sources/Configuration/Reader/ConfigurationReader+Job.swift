import JSON
import Schedules
import Scheduling

extension ConfigurationReader {
    static let jobVocabulary = Vocabulary(
        identityKeys + whenKeys + whatKeys + processKeys + policyKeys, older: olderSpellings)

    private static let olderSpellings = [
        "name": ["job_id", "schedule_id", "id"],
        "title": ["job_name"],
        "owner": ["user_id", "module_id"],
        "cron": ["cron_expr"],
        "calendar": ["on_calendar"],
        "allow_past": ["allow_past_events"],
        "agentool_name": ["function_name", "workflow_id"],
        "inputs": ["input_data", "parameters"],
        "timeout": ["timeout_seconds"],
    ]

    /// Every spelling of what differs from job to job: who it is, and what it runs.
    static let ownKeys = Set((identityKeys + whatKeys).flatMap { [$0] + olderSpellings[$0, default: []] })

    private static let identityKeys = [
        "name", "title", "description", "tags", "metadata", "owner", "version", "enabled", "paused", "status",
    ]
    private static let processKeys = [
        "working_directory", "environment", "environment_file", "clean_environment", "credentials", "stdin", "timeout",
        "kill_grace", "stall_timeout", "on_stall", "success_exit_codes", "resources", "output_limit",
        "journal_output",
    ]

    /// One definition, without its origin.
    ///
    /// - Parameters:
    ///   - text: its compact text, where that is known.
    ///   - frames: those of the definitions before it, which it may share.
    func readDefinition(
        _ value: JSONValue, text: String? = nil, in configuration: Configuration, madeUpName: String?,
        _ rule: RegistrationRule, frames: JobFrames? = nil
    ) throws(FieldError) -> Job {
        let field = Field(path: [], value: value)
        guard let object = value.objectValue else { throw field.refusal(expected: "an object: one job") }
        let fields = try Fields(field, Self.jobVocabulary)
        let name = try readName(fields, madeUpName: madeUpName)
        var job: Job
        if let frames {
            let members = frames.members(of: object)
            if let frame = frames.frame(members, registration(name), now: now) {
                job = frame
            } else {
                job = try readFrame(name, fields, configuration, rule)
                frames.keep(job, members)
            }
        } else {
            job = try readFrame(name, fields, configuration, rule)
        }
        job.name = name
        job.title = name
        job.definition = text ?? value.compactText
        try readIdentity(fields, into: &job)
        try readWhat(fields, configuration, into: &job)
        return job
    }

    /// When a definition runs, and how: what does not hang on its identity nor on its action.
    private func readFrame(
        _ name: String, _ fields: Fields, _ configuration: Configuration, _ rule: RegistrationRule
    ) throws(FieldError) -> Job {
        var job = Job(name: name, registeredAt: now, zone: configuration.timezone, action: .command([]))
        try readWhen(fields, configuration, rule, into: &job)
        try readProcess(fields, configuration, into: &job)
        try readPolicies(fields, configuration, into: &job)
        return job
    }

    // MARK: - Identity

    private func readName(_ fields: Fields, madeUpName: String?) throws(FieldError) -> String {
        if let field = fields["name"] { return try field.jobName(hint: "; text for people goes to \"title\"") }
        guard let madeUpName else {
            throw FieldError(path: [.key("name")], "missing; every job of the file has a name of its own")
        }
        return madeUpName
    }

    private func readIdentity(_ fields: Fields, into job: inout Job) throws(FieldError) {
        if let field = fields["title"] { job.title = try field.string() }
        if let field = fields["description"] { job.description = try field.string() }
        if let field = fields["tags"] { job.tags = try field.strings() }
        if let field = fields["metadata"] {
            _ = try field.members()
            job.metadata = field.value.compactText
        }
        if let field = fields["owner"] { job.owner = try field.string() }
        if let field = fields["version"] { job.version = try field.integer(0...Int.max) }
        job.isEnabled = try readEnabled(fields)
    }

    private enum StatusWord: String, CaseIterable { case enabled, disabled }

    /// `enabled`, or in older spellings `paused` and `status`; they must not contradict each other.
    private func readEnabled(_ fields: Fields) throws(FieldError) -> Bool {
        var statements: [(field: Field, isEnabled: Bool)] = []
        if let field = fields["enabled"] { statements.append((field, try field.bool())) }
        if let field = fields["paused"] { statements.append((field, try !field.bool())) }
        if let field = fields["status"] { statements.append((field, try field.word(StatusWord.self) == .enabled)) }
        guard let first = statements.first else { return true }
        for other in statements.dropFirst() where other.isEnabled != first.isEnabled {
            throw other.field.refusal("contradicts \(first.field.key); give one of them")
        }
        return first.isEnabled
    }

    // MARK: - The process

    private func readProcess(
        _ fields: Fields, _ configuration: Configuration, into job: inout Job
    ) throws(FieldError) {
        if let field = fields["working_directory"] { job.workingDirectory = try field.path(home: home) }
        if let field = fields["environment"] { job.environment = try readEnvironment(field) }
        if let field = fields["environment_file"] { job.environmentFile = try field.path(home: home) }
        if let field = fields["clean_environment"] { job.isEnvironmentClean = try field.bool() }
        if let field = fields["credentials"] { job.credentials = try readCredentials(field) }
        if let field = fields["stdin"] { job.standardInput = field.value.stringValue ?? field.value.compactText }
        job.timeout = try fields["timeout"]?.duration() ?? configuration.executionTimeout
        if let field = fields["kill_grace"] { job.killGrace = try field.duration() }
        if let field = fields["stall_timeout"] {
            let timeout = try field.duration()
            job.stallTimeout = timeout == .zero ? nil : timeout
        }
        if let field = fields["on_stall"] { job.onStall = try field.word(StallAction.self) }
        if let field = fields["success_exit_codes"] {
            var codes: Set<Int32> = []
            for code in try field.elements(of: "exit codes") { codes.insert(Int32(try code.integer(0...255))) }
            job.successExitCodes = codes
        }
        if let field = fields["resources"] { job.resources = try readResources(field) }
        if let field = fields["journal_output"] { job.isOutputJournaled = try field.bool() }
        if let field = fields["output_limit"] { job.outputLimit = try field.integer(0...Bounds.outputLimitMax) }
    }

    func readEnvironment(_ field: Field) throws(FieldError) -> [String: String] {
        var environment: [String: String] = [:]
        for member in try field.members("an object: variable → text") {
            guard !member.key.isEmpty, !member.key.contains("="), !member.key.utf8.contains(0) else {
                throw member.refusal("no name of a variable; it is not empty and holds neither \"=\" nor NUL")
            }
            switch member.value {
            case .string: environment[member.key] = try member.string()
            case .number, .bool: environment[member.key] = member.value.compactText
            default: throw member.refusal(expected: "a string")
            }
        }
        return environment
    }

    private func readCredentials(_ field: Field) throws(FieldError) -> [String: String] {
        var credentials: [String: String] = [:]
        for member in try field.members("an object: name → file, or secret:ATTRIBUTE") {
            // The name becomes that of a file.
            guard JobName.isValid(member.key), member.key != ".", member.key != ".." else {
                throw member.refusal("no name of a credential; it consists of letters, digits, _ - . :")
            }
            let source = try member.nonEmptyString(expected: "a file, or secret:ATTRIBUTE")
            credentials[member.key] =
                source.hasPrefix("secret:") ? source : try member.path(home: home)
        }
        return credentials
    }

    // MARK: - Resources

    static let resourceVocabulary = Vocabulary([
        "memory_max", "cpu_quota", "tasks_max", "nice", "io_class",
    ])

    private func readResources(_ field: Field) throws(FieldError) -> Resources {
        let fields = try Fields(field, Self.resourceVocabulary)
        var resources = Resources()
        if let field = fields["memory_max"] { resources.memoryMax = try readMemory(field) }
        if let field = fields["cpu_quota"] { resources.cpuQuotaPercent = try readShare(field) }
        if let field = fields["tasks_max"] { resources.tasksMax = try field.integer(1...Bounds.countMax) }
        if let field = fields["nice"] { resources.nice = try field.integer(-20...19) }
        if let field = fields["io_class"] { resources.ioClass = try field.word(Resources.IOClass.self) }
        return resources
    }

    /// As systemd writes it: bytes, with K, M, G or T, or a share of the machine's.
    private func readMemory(_ field: Field) throws(FieldError) -> Resources.Memory {
        if let bytes = field.value.intValue, bytes > 0 { return .bytes(Int64(bytes)) }
        if let text = field.value.stringValue, !text.hasPrefix("+") {
            if text == "infinity" { return .unlimited }
            let unit = text.last.map { "KMGT".contains($0) || $0 == "%" ? $0 : " " } ?? " "
            let digits = unit == " " ? text[...] : text.dropLast()
            if let number = Int64(digits), number > 0 {
                if unit == "%" { return .share(Int(clamping: number)) }
                let shift = [" ": 0, "K": 10, "M": 20, "G": 30, "T": 40][unit] ?? 0
                let (bytes, overflows) = number.multipliedReportingOverflow(by: 1 << shift)
                return .bytes(overflows ? .max : bytes)
            }
        }
        throw field.refusal(expected: "a number of bytes, or text such as \"512M\", \"2G\" or \"10%\"")
    }

    /// Percent of one processor.
    private func readShare(_ field: Field) throws(FieldError) -> Double {
        if let percent = field.value.doubleValue, percent > 0 { return percent }
        if let text = field.value.stringValue, text.hasSuffix("%"), let percent = Int(text.dropLast()), percent > 0 {
            return Double(percent)
        }
        throw field.refusal(expected: "percent of one processor: a number, or text such as \"50%\"")
    }
}
