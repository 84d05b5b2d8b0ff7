import JSON
import Scheduling

/// What a definition runs: exactly one kind of action, and the runner for it.
extension ConfigurationReader {
    static let whatKeys =
        actionKeys + ["persona", "inputs", "execution_mode", "project", "args"]

    /// One key for each kind of action.
    private static let actionKeys = ["skill", "message", "script", "command", "agentool_name"]

    func readWhat(_ fields: Fields, _ configuration: Configuration, into job: inout Job) throws(FieldError) {
        if let field = fields["persona"] { job.persona = try field.string() }
        if let field = fields["inputs"] {
            _ = try field.members("an object: name → value")
            job.inputs = field.value.compactText
        }
        if let field = fields["project"] {
            job.project = try field.path(home: home)
            if job.workingDirectory.isEmpty { job.workingDirectory = job.project }
        }
        let kinds = fields.given(Self.actionKeys)
        if kinds.count > 1 {
            let keys = kinds.map(\.key).joined(separator: ", ")
            throw FieldError(path: kinds[1].path, isAboutKey: true, "\(keys) are given; a job runs exactly one of them")
        }
        if let field = fields["args"], fields["script"] == nil {
            throw field.refusal("needs \"script\"; the arguments of a command stand in \"command\" itself")
        }
        let mode = try Mode(fields["execution_mode"])
        guard let kind = kinds.first else {
            try readOwnRunner(mode, fields, configuration, into: &job)
            return
        }
        switch kind.path {
        case fields["skill"]?.path: try readSkill(kind, mode, configuration, into: &job)
        case fields["message"]?.path: try readMessage(kind, mode, configuration, into: &job)
        case fields["script"]?.path: try readScript(kind, mode, fields, configuration, into: &job)
        case fields["command"]?.path: try readCommand(kind, mode, into: &job)
        default: try readTool(kind, mode, configuration, into: &job)
        }
    }

    /// The `execution_mode` of the definition itself; both nil where it has none.
    private struct Mode {
        let field: Field?
        let name: String?

        init(_ field: Field?) throws(FieldError) {
            self.field = field
            guard let field else {
                name = nil
                return
            }
            name = Runners.canonical(try field.nonEmptyString(expected: "the name of a mode or runner"))
        }

        /// Refuses a mode that belongs to another kind of action. Own runners go with every kind that has a runner.
        func check(fits kind: Field, modes: Set<String>, ownRunners: Bool = true) throws(FieldError) {
            guard let field, let name, !modes.contains(name) else { return }
            if ownRunners && !Runners.modes.contains(name) { return }
            let expected = modes.sorted().map { "\"\($0)\"" }.joined(separator: ", ")
            throw field.refusal(expected: "\(expected)\(ownRunners ? " or a runner of your own" : "") for \(kind.key)")
        }
    }

    // MARK: - Kinds

    private func readSkill(
        _ field: Field, _ mode: Mode, _ configuration: Configuration, into job: inout Job
    ) throws(FieldError) {
        job.skill = try field.nonEmptyString(expected: "the name of a skill")
        try mode.check(fits: field, modes: Runners.skillModes)
        let name = mode.name ?? configuration.executionMode
        guard Runners.skillModes.contains(name) || !Runners.modes.contains(name) else {
            throw field.refusal(
                "schedules.execution_mode is \"\(name)\", which runs no skills; give the job an execution_mode")
        }
        try setRunner(name, mode.field ?? field, configuration, of: &job)
    }

    private func readMessage(
        _ field: Field, _ mode: Mode, _ configuration: Configuration, into job: inout Job
    ) throws(FieldError) {
        job.message = try field.nonEmptyString(expected: "a message")
        try mode.check(fits: field, modes: [Runners.message])
        try setRunner(mode.name ?? Runners.message, mode.field ?? field, configuration, of: &job)
    }

    private func readScript(
        _ field: Field, _ mode: Mode, _ fields: Fields, _ configuration: Configuration, into job: inout Job
    ) throws(FieldError) {
        // A relative script is the interpreter's to find, from the working directory.
        let path = expandHome(try field.nonEmptyString(expected: "the path of a script"), home: home)
        let arguments = try fields["args"]?.strings() ?? []
        try mode.check(fits: field, modes: [Runners.pythonScript])
        let name = mode.name ?? Runners.pythonScript
        let interpreter = try template(name, mode.field ?? field, configuration)
        job.executionMode = name
        job.action = .script(interpreter: interpreter, path: path, arguments: arguments)
    }

    private func readCommand(_ field: Field, _ mode: Mode, into job: inout Job) throws(FieldError) {
        try mode.check(fits: field, modes: [Runners.command], ownRunners: false)
        job.executionMode = Runners.command
        job.action = try command(field)
    }

    private func readTool(
        _ field: Field, _ mode: Mode, _ configuration: Configuration, into job: inout Job
    ) throws(FieldError) {
        // The name of the tool is the `skill` of its runs: history and templates know that word only.
        job.skill = try field.nonEmptyString(expected: "the name of a tool")
        try mode.check(fits: field, modes: [Runners.tool])
        try setRunner(mode.name ?? Runners.tool, mode.field ?? field, configuration, of: &job)
    }

    /// A definition that names nothing but a runner of the user's own, which then says everything.
    private func readOwnRunner(
        _ mode: Mode, _ fields: Fields, _ configuration: Configuration, into job: inout Job
    ) throws(FieldError) {
        guard let field = mode.field, let name = mode.name, !Runners.modes.contains(name) else {
            let kinds = "skill, message, script, command or agentool_name"
            throw FieldError(path: fields.path, "nothing to run; a job has exactly one of \(kinds)")
        }
        try setRunner(name, field, configuration, of: &job)
    }

    /// An argv, or text for the shell: of a job, a poll or a condition.
    func command(_ field: Field) throws(FieldError) -> Job.Action {
        switch field.value {
        case .string: .shell(try field.nonEmptyString())
        case .array: .command(try field.argv())
        default:
            throw field.refusal(expected: "an array (a program and its arguments), or a string for /bin/sh")
        }
    }

    // MARK: - Runners

    private func setRunner(
        _ name: String, _ field: Field, _ configuration: Configuration, of job: inout Job
    ) throws(FieldError) {
        job.action = .runner(try template(name, field, configuration))
        job.executionMode = name
        // Agents of one runner have one quota.
        job.holdGroup = name
    }

    private func template(
        _ name: String, _ field: Field, _ configuration: Configuration
    ) throws(FieldError) -> [String] {
        if let template = configuration.runners[name] { return template }
        if let fault = configuration.runnerFaults[name] {
            throw field.refusal("the runner \"\(name)\" is broken: \(fault)")
        }
        if Runners.modes.contains(name) {
            throw field.refusal(
                "no runner \"\(name)\" is set up; give its argv in schedules.runners.\(name).command")
        }
        let known = configuration.runners.keys.sorted()
        let nearest = NearestName.nearest(to: name, among: known).map { "; did you mean \"\($0)\"?" } ?? ""
        throw field.refusal("no runner \"\(name)\"; known are \(known.joined(separator: ", "))\(nearest)")
    }
}
