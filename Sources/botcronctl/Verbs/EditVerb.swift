import Client
import Configuration
import Contract
import Glibc
import JSON

/// `edit`: a definition in the user's editor, checked before it is in force.
extension Verb {
    static let edit = Verb(
        "edit", "JOB", 1...1, "change a job's definition in your editor",
        details: """
            The editor is $VISUAL, $EDITOR, or the first of editor, nano and vi. What it saves is checked before it is in
            force: on a mistake its place is shown, and nothing that was typed is lost. A job of config.json is changed
            in the file, and everything else in it stays as it is.
            """,
        takes: [.job], run: editJob)
}

private func editJob(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let name = request.arguments[0]
    let daemon = try context.daemon()
    let job = try daemon.json(.getJob, [.text(name)])
    let home = try JobHome(job, daemon, context)
    var definition = job["definition"] ?? [:]
    // As it stands in the file now, which may be newer than what the daemon has read.
    if case .file(let file) = home { definition = try file.definition(of: name) ?? definition }
    let draft = try Draft(of: name, definition)
    while true {
        try draft.open()
        guard draft.isChanged else {
            draft.discard()
            context.screen.isJSON
                ? context.screen.json(["success": true, "job": .string(name), "changed": false])
                : context.screen.line("\(name) is unchanged")
            return ExitCode.success
        }
        do throws(Failure) {
            try take(try draft.definition(), of: name, home, daemon)
            break
        } catch {
            context.screen.complain(error)
            guard asksAgain(context) else {
                throw Failure(
                    error.exitCode, error.name, "\(name) is as it was", advice: ["what you typed is in \(draft.path)"])
            }
        }
    }
    draft.discard()
    guard !context.screen.isJSON else {
        context.screen.json(["success": true, "job": .string(name), "changed": true])
        return ExitCode.success
    }
    let next = try daemon.json(.getJob, [.text(name)]).instant("next_run")
    context.screen.sentence(
        "\(name) is changed" + (next.map { ", next: \(context.times.absoluteAndRelative($0))" } ?? ""))
    return ExitCode.success
}

private func take(_ definition: JSONValue, of name: String, _ home: JobHome, _ daemon: Daemon) throws(Failure) {
    let found = definition.objectValue?.jobName
    guard found == name else {
        throw Failure(
            ExitCode.failure, ServiceError.invalidJob.name,
            "the name is \(found.map { "\"\($0)\"" } ?? "gone"), and was \"\(name)\"",
            advice: ["another name: botcronctl rename \(name) NEW"])
    }
    switch home {
    case .bus: _ = try schedule(definition, daemon)
    case .file(let file):
        try file.replace(name, by: definition)
        try daemon.call(.reloadConfig)
    }
}

/// Nobody is asked where nobody can answer.
private func asksAgain(_ context: Context) -> Bool {
    guard isatty(STDIN_FILENO) == 1, !context.screen.isJSON else { return false }
    context.screen.prompt("Edit it again? [Y/n] ")
    guard let answer = readLine() else { return false }
    return !answer.lowercased().hasPrefix("n")
}

/// The text that the editor works on: a file that only its user reads, kept until it is in force.
private struct Draft {
    let path: String
    private let original: String

    init(of name: String, _ definition: JSONValue) throws(Failure) {
        let runtime = variable("XDG_RUNTIME_DIR") ?? "/tmp"
        // The ending tells the editor the language.
        var template = Array("\(runtime)/botcron-\(name)-XXXXXX.json".utf8CString)
        let descriptor = mkstemps(&template, 5)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        original = definition.prettyText(indent: 2) + "\n"
        guard descriptor >= 0 else { throw Self.broken("make", path) }
        close(descriptor)
        do throws(ConfigurationError) {
            try FileReplacement.replace(path, with: Array(original.utf8), isDurable: false)
        } catch {
            throw .broken("\(error)")
        }
    }

    var isChanged: Bool { (try? text()) != original }

    func discard() { unlink(path) }

    func definition() throws(Failure) -> JSONValue {
        let text = try text()
        do {
            return try JSONValue(parsing: text)
        } catch {
            throw Failure(ExitCode.failure, ServiceError.invalidJob.name, "\(path): \(error.description)")
        }
    }

    private func text() throws(Failure) -> String {
        do throws(ConfigurationError) {
            guard case .bytes(let bytes) = try ConfigurationFile.load(path: path) else {
                throw ConfigurationError(operation: "read", object: path, reason: "the editor took it away")
            }
            return String(decoding: bytes, as: UTF8.self)
        } catch {
            throw Failure(ExitCode.failure, ServiceError.invalidJob.name, "\(error)")
        }
    }

    /// Runs the editor to its end. Its variable may hold options, so a shell takes it apart; the path is an argument.
    func open() throws(Failure) {
        let editor = [variable("VISUAL"), variable("EDITOR")].compactMap { $0 }.first { !$0.isEmpty }
        let script = editor.map { $0 + " \"$@\"" } ?? Self.standardEditor
        let arguments = ["sh", "-c", script, "editor", path]
        var pointers = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, "/bin/sh", nil, nil, &pointers, environ)
        guard code == 0 else { throw .broken("cannot start an editor: \(String(cString: strerror(code)))") }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        guard status == 0 else {
            throw Failure(
                ExitCode.failure, ProgramError.internal.name, "the editor ended with an error; the job is as it was",
                advice: ["what you typed is in \(path)", "set EDITOR to the one you like"])
        }
    }

    private static let standardEditor = """
        for editor in editor nano vi; do command -v $editor >/dev/null && exec $editor "$@"; done
        echo 'no editor is found: set EDITOR' >&2; exit 1
        """

    private static func broken(_ what: String, _ path: String) -> Failure {
        .broken("cannot \(what) \(path): \(String(cString: strerror(errno)))")
    }
}
