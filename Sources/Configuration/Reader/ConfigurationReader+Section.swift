import JSON
import Schedules
import Scheduling

extension ConfigurationReader {
    static let sectionVocabulary = Vocabulary([
        "enabled", "timezone", "execution_mode", "jobs", "runners", "default_retry", "max_concurrent_executions",
        "execution_timeout", "retention_days", "auto_cleanup_enabled", "cleanup_interval_hours", "wake_settle",
        "wake_spread", "notifications", "trace_enabled_by_default", "allow_past_events", "retry_failed_events",
        "max_retry_attempts", "retry_delay", "launch_rate", "stop_timeout", "failure_patterns", "remediation",
        "environment", "path", "description", "check_interval", "notify", "quiet_hours", "budget", "heartbeat",
    ])

    /// The known key that is nearest to one that is none of the section; nil for those that are, and for keys that
    /// begin with `x-`, which are free.
    public static func nearestSectionKey(toUnknown key: String) -> String? {
        guard !key.hasPrefix("x-"), sectionVocabulary.meaning(of: key) == nil else { return nil }
        return sectionVocabulary.nearest(to: key)
    }

    private static let sectionName = "schedules"

    func readSection(of outline: JSONOutline) throws(FieldError) -> Configuration {
        guard let sections = outline.members(at: []) else {
            throw Field(path: [], value: outline.node(at: []).map(outline.value) ?? .null)
                .refusal(expected: "an object")
        }
        let own = sections.filter { $0.key == Self.sectionName }
        try refuseDuplicate(own, "sections", at: [.key(Self.sectionName)], in: outline)
        guard let node = own.last?.node, outline.kind(of: node) != .null else {
            var empty = Configuration(timezone: try machineZone())
            // The other sections are not ours; but these are jobs that somebody waits for.
            empty.warnings = own.isEmpty ? sections.compactMap { strayWarning(of: $0.key) } : []
            return empty
        }
        let path: [JSONPathStep] = [.key(Self.sectionName)]
        guard let members = outline.members(at: path) else {
            throw Field(path: path, value: outline.value(of: node)).refusal(expected: "an object")
        }
        try refuseDuplicate(members.filter { $0.key == "jobs" }, "arrays", at: path + ["jobs"], in: outline)
        // The jobs are read later, one by one.
        let object = JSONObject(
            members.map { key, node in
                let isLong = key == "jobs" && outline.kind(of: node) == .array
                return (key, isLong ? .array([]) : outline.value(of: node))
            })
        let fields = Fields(inspecting: object, at: path, Self.sectionVocabulary)

        var configuration = Configuration(timezone: try zone(fields["timezone"]))
        configuration.warnings = fields.faults.map { fault in
            let place = outline.keyLocation(of: fault.path)
            return fault.message + (place.map { " (line \($0.line), column \($0.column))" } ?? "")
        }
        if let field = fields["check_interval"] {
            configuration.warnings.append(
                "\(field.path.pathText): ignored: nothing is polled, fire times are met by a timer")
        }
        try readSettings(fields, into: &configuration)
        try readFailures(fields, into: &configuration)
        try readSurroundings(fields, into: &configuration)
        try readRunners(fields["runners"], into: &configuration)
        try readDefaultRetry(fields, into: &configuration)
        if let jobs = fields["jobs"] {
            _ = try jobs.elements(of: "jobs")
            let elements = outline.elements(at: path + ["jobs"]) ?? []
            readJobs(elements, in: outline, into: &configuration)
            refuseCircles(elements, in: outline, into: &configuration)
            warnOfLooseChains(&configuration)
        }
        return configuration
    }

    /// Of two that hold jobs one would be read, and the jobs of the other be gone without a word.
    private func refuseDuplicate(
        _ members: [(key: String, node: JSONOutline.Node)], _ what: String, at path: [JSONPathStep],
        in outline: JSONOutline
    ) throws(FieldError) {
        guard members.count > 1, let last = members.last else { return }
        let lines = members.compactMap { outline.keyLocation(of: $0.node)?.line }
        let others = lines.dropLast().prefix(3).map(String.init).joined(separator: ", ")
        throw FieldError(
            path: path, isAboutKey: true,
            "\(members.count) \(what) \"\(last.key)\", in lines \(others) and \(lines.last ?? 0);"
                + " make one of them, so that no job is lost")
    }

    /// What to say of a key at the top of a file that has no section of ours; nil where it is somebody else's.
    private func strayWarning(of key: String) -> String? {
        let isNear = NearestName.isNear(key, Self.sectionName)
        guard isNear || key == "jobs" else { return nil }
        let hint = isNear && key != "schedule" ? "; did you mean \"schedules\"?" : ""
        return "there is no section \"schedules\", so there are no jobs; \"\(key)\" stands at the top of the file, "
            + "where nobody reads it: jobs belong into {\"schedules\": {\"jobs\": […]}}\(hint)"
    }

    // MARK: - Zones

    private func zone(_ field: Field?) throws(FieldError) -> TimeZoneRules {
        guard let field else { return try machineZone() }
        return try zone(named: field)
    }

    func zone(named field: Field) throws(FieldError) -> TimeZoneRules {
        let name = try field.string(expected: "the name of a time zone, such as \"Europe/Berlin\"")
        do {
            return try zones.zone(named: name)
        } catch {
            throw FieldError(error, at: field.path)
        }
    }

    private func machineZone() throws(FieldError) -> TimeZoneRules {
        do {
            return try zones.zone(named: "local")
        } catch {
            // No key of the file is to blame.
            throw FieldError(error, at: [])
        }
    }

    // MARK: - Plain settings

    private func readSettings(_ fields: Fields, into configuration: inout Configuration) throws(FieldError) {
        if let field = fields["enabled"] { configuration.isEnabled = try field.bool() }
        if let field = fields["execution_mode"] {
            let mode = try field.nonEmptyString(expected: "the name of a mode or runner")
            configuration.executionMode = Runners.canonical(mode)
        }
        if let field = fields["execution_timeout"] { configuration.executionTimeout = try field.duration() }
        if let field = fields["trace_enabled_by_default"] { configuration.isTracedByDefault = try field.bool() }
        if let field = fields["allow_past_events"] { configuration.allowsPastEvents = try field.bool() }
        if let field = fields["stop_timeout"] { configuration.stopTimeout = try field.duration() }
        if let field = fields["heartbeat"] { configuration.heartbeat = try readHeartbeat(field) }

        var settings = SchedulerSettings()
        if let field = fields["max_concurrent_executions"] {
            settings.maxConcurrentRuns = try field.integer(1...Bounds.countMax)
        }
        if let field = fields["launch_rate"] { settings.launchesPerMinute = try field.integer(1...Bounds.countMax) }
        if let field = fields["wake_settle"] { settings.wakeSettle = try field.duration() }
        if let field = fields["wake_spread"] { settings.wakeSpread = try field.duration() }
        if let field = fields["retention_days"] { settings.retentionDays = try field.integer(0...Bounds.daysMax) }
        if let field = fields["auto_cleanup_enabled"] { settings.isCleanupEnabled = try field.bool() }
        if let field = fields["cleanup_interval_hours"] {
            let hours = try field.number(Bounds.cleanupHoursMin...Bounds.cleanupHoursMax)
            settings.cleanupInterval = .seconds(Int64((hours * 3600).rounded()))
        }
        if let field = fields["notifications"] {
            configuration.notifications = field.value.compactText
            try readTargets(field, into: &configuration)
        }
        if let field = fields["notify"] { settings.messages = try readNotify(field, configuration.targets).rules }
        if configuration.targets.isToastForAll { settings.messages.addToast() }
        if let field = fields["budget"] { settings.budget = try readBudget(field) }
        if let field = fields["quiet_hours"] {
            settings.quietHours = try readQuietHours(field)
        }
        if settings.quietHours != nil || !settings.budget.isUnlimited { settings.zone = configuration.timezone }
        settings.logTargets = configuration.targets.logs
        settings.fileTargets = configuration.targets.logs.union(["toast"])
        configuration.settings = settings
    }

    // MARK: - The environment of every job

    private func readSurroundings(_ fields: Fields, into configuration: inout Configuration) throws(FieldError) {
        if let field = fields["environment"] {
            configuration.surroundings.variables = try readEnvironment(field).mapValues {
                CommonEnvironment.filled($0, home: home)
            }
        }
        if let field = fields["path"] {
            for element in try field.elements(of: "folders") {
                let folder = CommonEnvironment.filled(try element.nonEmptyString(expected: "a folder"), home: home)
                guard folder.hasPrefix("/"), !folder.contains(":") else {
                    throw element.refusal(expected: "one absolute folder, such as ~/bin")
                }
                configuration.surroundings.path.append(folder)
            }
        }
    }

    // MARK: - Failures

    private func readFailures(_ fields: Fields, into configuration: inout Configuration) throws(FieldError) {
        if let field = fields["failure_patterns"] {
            for type in try field.members("an object: failure type → array of texts") {
                var texts: [String] = []
                for element in try type.elements(of: "texts that tell this type of failure") {
                    texts.append(try element.nonEmptyString())
                }
                configuration.failurePatterns.append(.init(type: type.key, texts: texts))
            }
        }
        if let field = fields["remediation"] {
            for remedy in try field.members("an object: failure type → argv") where !remedy.value.isNull {
                configuration.remediation[remedy.key] = try remedy.argv()
            }
        }
    }

    // MARK: - Runners

    /// What to say of `{skill}`, which stands for itself; nil where there is none.
    private func bareVariable(in argument: String, runner: String) -> String? {
        let parts = argument.split(separator: "{", omittingEmptySubsequences: false)
        let bare = zip(parts, parts.dropFirst()).lazy.compactMap { before, part -> String? in
            guard before.last != "$", let end = part.firstIndex(of: "}") else { return nil }
            let name = String(part[..<end])
            return TemplateVariable.names.contains(name) ? name : nil
        }.first
        return bare.map {
            "runners.\(runner): \"{\($0)}\" stands for itself in \"\(argument)\"; the variable is \"${\($0)}\""
        }
    }

    private static let runnerVocabulary = Vocabulary(["command", "extra_arguments"])

    /// A broken runner is the trouble of the jobs that choose it: it is noted, and the section stands.
    private func readRunners(_ field: Field?, into configuration: inout Configuration) throws(FieldError) {
        guard let field else { return }
        for entry in try field.members("an object: name → {\"command\": [argv]}") where !entry.value.isNull {
            let name = Runners.canonical(entry.key)
            do {
                let command = try readRunner(entry, name: name)
                configuration.runners[name] = command
                configuration.warnings += command.compactMap { bareVariable(in: $0, runner: name) }
            } catch {
                configuration.runners[name] = nil
                configuration.runnerFaults[name] = error.message
                configuration.warnings.append(error.message)
            }
        }
    }

    private func readRunner(_ entry: Field, name: String) throws(FieldError) -> [String] {
        if entry.value.arrayValue != nil { return try checkedTemplate(entry, try entry.argv()) }
        let fields = try Fields(entry, Self.runnerVocabulary, expected: "an object with \"command\", or an argv")
        var template = Runners.builtIn[name]
        if let command = fields["command"] { template = try checkedTemplate(command, try command.argv()) }
        guard let template else {
            throw FieldError(path: fields.path(of: "command"), "missing; it is the argv template of this runner")
        }
        guard let extra = fields["extra_arguments"] else { return template }
        return Runners.template(template, extra: try checkedTemplate(extra, try extra.strings()))
    }

    private func checkedTemplate(_ field: Field, _ arguments: [String]) throws(FieldError) -> [String] {
        do {
            _ = try RunnerTemplate(arguments)
            return arguments
        } catch {
            throw field.refusal(error.message)
        }
    }

    // MARK: - Retry

    private func readDefaultRetry(_ fields: Fields, into configuration: inout Configuration) throws(FieldError) {
        let types = configuration.failureClassifier.types
        if let field = fields["default_retry"] {
            configuration.retryDefaults = try RetryReader(failureTypes: types).readDefaults(field)
            return
        }
        // The three keys of another scheduler, which together say what `default_retry` does.
        let older = fields.given(["max_retry_attempts", "retry_delay"])
        let isWanted = try fields["retry_failed_events"]?.bool() ?? !older.isEmpty
        guard isWanted else { return }
        let object = JSONObject(older.map { ($0.key, $0.value) })
        let field = Field(path: fields.path, value: .object(object))
        configuration.retryDefaults = try RetryReader(failureTypes: types).readDefaults(field)
    }
}
