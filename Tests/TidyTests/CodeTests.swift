import Testing

/// What a file of ours looks like.
@Suite struct CodeTests {
    private let all = Repository.sources + Repository.tests

    @Test func `a file over 300 lines says in its first comment why it is one`() {
        let findings = Repository.sources.compactMap { file in
            let said = file.firstComment
            let isExplained = said.contains("Long because") || said.contains("one subject")
            return file.lines.count > 300 && !isExplained
                ? Finding(check: .size, place: file.path, what: "long", line: file.lines.count) : nil
        }
        expectNone(
            .size, findings,
            "over 300 lines: split it, or say \"Long because …\" or \"… one subject …\" in its first comment")
    }

    @Test func `what can trap has its reason beside it`() {
        let findings = find(.unexplained, in: all, containing: ["try!", "fatalError", "as!", "unowned"]) { code in
            code.identifiers.compactMap { word in
                switch word.name {
                case "try" where word.after.hasPrefix("!"): "try!"
                case "as" where word.after.hasPrefix("!"): "as!"
                case "fatalError", "unowned": word.name
                default: nil
                }
            }
        }
        expectNone(.unexplained, findings, "a comment on its line or the one above says why it holds")
    }

    @Test func `a sleep has its reason beside it`() {
        let findings = find(.sleep, in: all, containing: ["sleep("]) { code in
            code.calls.compactMap { call in
                guard ["sleep", "usleep", "nanosleep"].contains(call.name) else { return nil }
                if call.receiver == "Task" || call.receiver == "Thread" { return call.name }
                // Methods of ours have a label.
                let first = call.arguments.prefix { $0.isLetter || $0.isNumber }
                let isLabel = !first.isEmpty && call.arguments.dropFirst(first.count).hasPrefix(":")
                return call.receiver == nil && !isLabel ? call.name : nil
            }
        }
        expectNone(.sleep, findings, "wait for what is waited for; else a comment says why not")
    }

    @Test func `a room prints nothing`() {
        let rooms = Repository.sources.filter { !$0.room.hasPrefix("botcron") }
        let findings = find(.print, in: rooms, containing: ["print("]) { code in
            code.calls.compactMap {
                ["print", "debugPrint", "dump"].contains($0.name) && $0.receiver == nil ? $0.name : nil
            }
        }
        expectNone(.print, findings, "what a room has to say goes to the log")
    }

    @Test func `what is to be done names its condition`() {
        let findings = all.flatMap { file in
            file.lines.compactMap { line in
                // Written so that this line is none itself.
                let isOpen = ["TO" + "DO", "FIX" + "ME"].contains { line.comment.contains($0) }
                let hasCondition = ["when", "until", "as soon as"].contains { line.comment.contains($0) }
                return isOpen && !hasCondition
                    ? Finding(check: .condition, place: file.path, what: line.comment.trimmed, line: line.number) : nil
            }
        }
        expectNone(.condition, findings, "\"when …\" or \"until …\" says when it can be done")
    }

    @Test func `no code is commented out`() {
        let findings = all.flatMap { file in
            file.lines.compactMap { line in
                !line.comment.hasPrefix("/") && isCode(line.comment.trimmed)
                    ? Finding(check: .disabled, place: file.path, what: line.comment.trimmed, line: line.number) : nil
            }
        }
        expectNone(.disabled, findings, "history has it")
    }

    @Test(arguments: [
        ("let x = 3", true), ("return x;", true), ("if let x = y {", true), ("}", true), ("import Glibc", true),
        ("func name() -> Int {", true), ("if it is held, nobody asks", false), ("let it be", false),
        ("return to the start", false), ("swift-tools-version: 6.2", false),
    ])
    func `code is told from prose`(text: String, isCode: Bool) {
        #expect(self.isCode(text) == isCode)
    }

    @Test func `no line is wider than 120 columns, strings excepted, and none has a tab`() {
        let findings = all.flatMap { file in
            file.lines.compactMap { line -> Finding? in
                let isWide = line.text.utf8.count > 120 && line.text.unicodeScalars.count > 120 && line.strings.isEmpty
                guard isWide || line.code.utf8.contains(9) else { return nil }
                return Finding(check: .width, place: file.path, what: isWide ? "wide" : "tab", line: line.number)
            }
        }
        expectNone(.width, findings, "`make format` mends most of it")
    }

    private func isCode(_ text: String) -> Bool {
        if text == "}" || text.hasSuffix(";") { return true }
        let rest = text.drop { $0 != " " }.dropFirst()
        switch text.prefix(while: { $0 != " " }) {
        case "let", "var":
            return rest.split(separator: " ").dropFirst().first == "=" || rest.prefix { $0 != " " }.hasSuffix(":")
        case "import": return rest.first?.isUppercase == true && !rest.contains(" ")
        case "func": return rest.contains("(")
        case "if", "guard", "for", "while", "switch": return rest.hasSuffix("{")
        default: return false
        }
    }

    private func find(
        _ check: Check, in files: [SwiftFile], containing hints: [String], _ words: (String) -> [String]
    ) -> [Finding] {
        files.flatMap { file in
            file.lines.flatMap { line -> [Finding] in
                guard hints.contains(where: { line.code.contains($0) }), !file.isExplained(line) else { return [] }
                return words(line.code).map { Finding(check: check, place: file.path, what: $0, line: line.number) }
            }
        }
    }
}

extension String {
    /// What a line of code calls: `Task.sleep(for: x)` has the receiver `Task`, and one that begins with a point has an
    /// empty one. A declaration is no call.
    fileprivate var calls: [(receiver: String?, name: String, arguments: Substring)] {
        let all = identifiers
        return all.indices.compactMap { index in
            let word = all[index]
            let before = index > 0 ? all[index - 1].name : ""
            guard word.after.hasPrefix("("), before != "func" else { return nil }
            let isMethod = word.before == "."
            let receiver = isMethod && index > 0 && all[index - 1].after.hasPrefix("." + word.name) ? before : ""
            return (isMethod ? receiver : nil, word.name, word.after.dropFirst())
        }
    }
}
