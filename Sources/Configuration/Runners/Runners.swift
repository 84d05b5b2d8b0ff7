/// The runners that come with the program, and how those of the configuration are laid over them.
enum Runners {
    static let claudeCLI = "claude_cli"
    static let claudePrompt = "claude_prompt"
    static let skillDirect = "skill_direct"
    static let message = "message"
    static let pythonScript = "python_script"
    static let tool = "tool"
    /// The mode of jobs that are a command: no runner stands behind it.
    static let command = "command"

    /// For `skill_direct` and `tool` there is none: what runs them is known to the user only.
    static let builtIn: [String: [String]] = [
        claudeCLI: [
            "claude", "--print", "--skill", "${skill}", "--session", "${session}", "--persona", "${persona}",
            "--inputs", "${inputs_json}",
        ],
        claudePrompt: ["claude", "--print", "${prompt}"],
        message: ["claude", "--print", "--session-id", "${trace_uuid}", "${message}"],
        // The script and its arguments follow.
        pythonScript: ["python3"],
    ]

    /// Modes that stand for one kind of action; any other name is a runner of the user's own.
    static let skillModes: Set = [claudeCLI, claudePrompt, skillDirect]
    static let modes: Set = skillModes.union([message, pythonScript, tool, command])

    /// The name that an older spelling means.
    static func canonical(_ mode: String) -> String { mode == "direct" ? skillDirect : mode }

    /// The template with further arguments: before the prompt where there is one, which options have to precede.
    static func template(_ command: [String], extra: [String]) -> [String] {
        let prompt = command.firstIndex { argument in
            TemplatePiece.split(argument).contains { if case .name("prompt") = $0 { true } else { false } }
        }
        let place = prompt ?? command.endIndex
        return Array(command[..<place]) + extra + command[place...]
    }
}
