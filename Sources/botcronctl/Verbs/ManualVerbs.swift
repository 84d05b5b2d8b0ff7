import Configuration
import Contract
import Glibc
import JSON

/// Verbs that shells and readers use: `completion`, `man`.
extension Verb {
    static let completion = Verb(
        "completion", "SHELL", 1...1, "print the completion script of bash, zsh or fish",
        details: """
            make install puts them where shells look for them. A script asks for names by `completion jobs`, `completion
            runs` and `completion zones`: one a line, and none where no daemon answers within 200 ms. It starts none.
            """,
        takes: [.choice(CompletionScript.allCases.map(\.rawValue))], run: printCompletion)

    static let man = Verb(
        "man", "[PAGE]", 0...1, "show a page of the manual: botcronctl, botcrond, botcron.json, com.aiworkflow.BotCron",
        options: [
            Option("--roff", "print its source, in the macros of man(7)"),
            Option(
                "--interfaces", value: "FOLDER", of: .folder,
                "where the descriptions of the interfaces are (default: as installed)"),
        ],
        takes: [.page], run: showPage)
}

private func printCompletion(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let word = request.arguments[0]
    if let kind = AskedNames(rawValue: word) {
        CompletionNames.print(kind, context)
        return ExitCode.success
    }
    guard let shell = CompletionScript(rawValue: word) else {
        let known = CompletionScript.allCases.map(\.rawValue).joined(separator: ", ")
        throw request.usage("found \"\(word)\", expected one of \(known)")
    }
    context.screen.line(Line(own: shell.text))
    return ExitCode.success
}

// MARK: - man

private func showPage(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let word = request.arguments.first ?? ManualPage.tool.rawValue
    guard let page = ManualPage(rawValue: word) else {
        let known = ManualPage.allCases.map(\.rawValue).joined(separator: ", ")
        throw request.usage("found \"\(word)\", expected one of \(known)")
    }
    let roff = try page.roff { () throws(Failure) in try interfaces(request) }.text
    if context.screen.isJSON {
        context.screen.json(["page": .string(page.rawValue), "section": .number(page.section), "roff": .string(roff)])
        return ExitCode.success
    }
    if request.has("--roff") {
        context.screen.bytes(Array(roff.utf8))
        return ExitCode.success
    }
    return try read(roff)
}

private func interfaces(_ request: Request) throws(Failure) -> [InterfaceDocument] {
    let folder = request.options["--interfaces"] ?? installedInterfaces
    var documents: [InterfaceDocument] = []
    for name in InterfaceDocument.names {
        let path = "\(folder)/\(name).xml"
        guard case .bytes(let bytes)? = try? ConfigurationFile.load(path: path) else {
            throw Failure(
                ExitCode.failure, ProgramError.internal.name, "\(path) cannot be read",
                advice: ["say where they are: botcronctl man \(Address.interface) --interfaces FOLDER"])
        }
        documents.append(try InterfaceDocument(String(decoding: bytes, as: UTF8.self), of: name))
    }
    return documents
}

/// Beside the program itself, as `make install` puts them.
private var installedInterfaces: String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &buffer, buffer.count)
    let path = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return path.folderOfPath.folderOfPath + "/share/dbus-1/interfaces"
}

/// The shell's own for a program that there is not.
private let notInstalled: Int32 = 127

/// Has man(1) show the page, by the reader's own pager.
private func read(_ roff: String) throws(Failure) -> Int32 {
    let code = try ProgramText.show(Array(roff.utf8), by: "man -l -").code
    guard code != notInstalled else {
        throw Failure(
            ExitCode.failure, ProgramError.internal.name, "man is not installed",
            advice: ["the source of the page: botcronctl man --roff", "in short: botcronctl help"])
    }
    return code
}
