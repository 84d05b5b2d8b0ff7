import JSON
import Schedules

/// Reads a job of at(1): what `at -c` prints, which is the file in at's spool.
///
/// It is a script that sets the environment in which `at` was typed, goes to that folder, and gives what was typed to a
/// shell as its input. A job of ours has that environment, folder and input, and the very shell. When it is to run the
/// script does not say: `atq` does, and the name of the spool's file.
///
/// at writes a backslash before each *byte* of a variable that is no ASCII, so that the file itself is no UTF-8: it is
/// read byte by byte, and what comes out of it is the text.
///
/// Source: at.c of at 3.2.5.
struct AtJob {
    /// When, and what it is called for people.
    struct Label {
        var name: String
        var at: Instant?
        /// The letter of the queue; upper case or `b`: as a batch.
        var queue: Character = "a"
    }

    private struct Reason: Error {
        var sentence: String
    }

    static func read(_ bytes: [UInt8], _ label: Label, user: UInt32, now: Instant) -> ImportedText {
        let script = bytes.contains(0) ? nil : Script(bytes)
        let fate: ImportEntry.Fate
        do throws(Reason) {
            fate = .taken(try job(script, label, user, now))
        } catch {
            fate = .notTaken(reason: error.sentence)
        }
        var imported = ImportedText(
            entries: [ImportEntry(place: label.name, text: script?.commands ?? "", fate: fate)])
        if imported.entries[0].job != nil {
            imported.remarks = [
                "A definition has the whole environment that at was called in: look whether there is a secret in it.",
                "at goes on to run its jobs, too, until: atrm NUMBER",
            ]
        }
        return imported
    }

    /// `a0000301c2f5b4`: the queue, the number of the job and the minute since 1970, both in hex.
    static func label(ofSpoolFile name: String) -> Label? {
        guard name.utf8.count == 14, let queue = name.first, queue.isASCII, queue.isLetter || queue == "=",
            let number = Int(name.dropFirst().prefix(5), radix: 16), let minute = Int64(name.suffix(8), radix: 16)
        else { return nil }
        return Label(name: "job \(number)", at: Instant(seconds: minute * 60), queue: queue)
    }

    private static func job(
        _ script: Script?, _ label: Label, _ user: UInt32, _ now: Instant
    ) throws(Reason) -> ImportedJob {
        guard let at = label.at else {
            throw Reason(sentence: "it does not say when: --at says it, or the name that the file has in the spool")
        }
        guard at > now else { throw Reason(sentence: "its time has passed") }
        guard let script else { throw Reason(sentence: "it is no job of at, as at -c prints it") }
        guard script.user == nil || script.user == user else {
            throw Reason(sentence: "it is another user's, of the number \(script.user ?? 0)")
        }
        var differences: [String] = []
        if label.queue == "b" || label.queue.isUppercase {
            differences.append("a batch waits until the load of the machine is low; here it runs at its time")
        }
        differences.append("what it writes is not mailed; it is kept with the run")
        let definition: JSONObject = [
            "tags": [.string(ImportFormat.at.rawValue)], "once": .string(at.rfc3339(in: .utc)),
            "command": [.string(script.shell)], "stdin": .string(script.input),
            "working_directory": .string(script.folder), "clean_environment": true,
            "environment": .object(script.environment), "timeout": 0, "retry": false, "catchup_policy": "latest",
            "catchup_window": .string(SystemdTimer.catchUpWindow),
        ]
        return ImportedJob(
            name: JobNaming.program(of: script.commands) ?? "job", definition: definition, differences: differences)
    }

    // MARK: - The script

    private struct Script {
        var user: UInt32?
        var environment: JSONObject = [:]
        var folder = "/"
        var commands = ""
        private var mask: Substring?
        private var isForOwnShell = false

        var shell: String { (isForOwnShell ? nil : environment["SHELL"]?.stringValue) ?? "/bin/sh" }

        /// What the shell reads.
        var input: String { (mask.map { "umask \($0)\n" } ?? "") + commands }

        /// Nil where it is not of that shape, or a value of it is no UTF-8.
        init?(_ bytes: [UInt8]) {
            // One scalar for each byte.
            var text = ""
            for byte in bytes { text.unicodeScalars.append(Unicode.Scalar(byte)) }
            var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
            guard lines.popFirst() == "#!/bin/sh" else { return nil }
            guard let origin = lines.popFirst(), origin.hasPrefix("# atrun uid=") else { return nil }
            user = UInt32(origin.dropFirst("# atrun uid=".count).prefix { $0.isNumber })
            while let line = lines.popFirst() {
                if line.hasPrefix("#") || line.isEmpty { continue }
                if line.hasPrefix("umask ") {
                    mask = line.dropFirst("umask ".count)
                    guard mask?.allSatisfy(\.isNumber) == true else { return nil }
                } else if line.hasPrefix("cd "), line.hasSuffix(" || {") {
                    guard let path = Self.unquoted(line.dropFirst(3).dropLast(" || {".count)) else { return nil }
                    folder = path
                    // What it says where the folder is gone, up to the closing brace.
                    while let inner = lines.popFirst(), inner != "}" {}
                    guard takeCommands(&lines), let text = Self.decoded(commands) else { return nil }
                    commands = text
                    return
                } else {
                    guard takeVariable(line, &lines) else { return nil }
                }
            }
            return nil
        }

        /// `NAME=value; export NAME`; a line end within a value stands in quotes and goes on on the next line.
        private mutating func takeVariable(_ line: Substring, _ lines: inout ArraySlice<Substring>) -> Bool {
            guard let equals = line.firstIndex(of: "="), equals > line.startIndex else { return false }
            let name = line[..<equals]
            var value = String(line[line.index(after: equals)...])
            let ending = "; export \(name)"
            while !value.hasSuffix(ending) {
                guard let next = lines.popFirst() else { return false }
                value += "\n" + next
            }
            guard let plain = Self.unquoted(value.dropLast(ending.count)) else { return false }
            environment[String(name)] = .string(plain)
            return true
        }

        /// `${SHELL:-/bin/sh} << 'MARK'`, the commands, and the mark.
        private mutating func takeCommands(_ lines: inout ArraySlice<Substring>) -> Bool {
            while let line = lines.popFirst() {
                if line.isEmpty { continue }
                guard line.hasPrefix("${SHELL:-/bin/sh} << '"), line.hasSuffix("'") else {
                    // Older versions give the commands to the script's own shell.
                    commands = ([line] + lines).joined(separator: "\n")
                    isForOwnShell = true
                    return true
                }
                let mark = line.dropFirst("${SHELL:-/bin/sh} << '".count).dropLast()
                while let command = lines.popFirst() {
                    if command == mark { return true }
                    commands += command + "\n"
                }
            }
            return false
        }

        /// What was read byte by byte, as the text that it is.
        private static func decoded(_ scalars: String) -> String? {
            String(validating: scalars.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }, as: UTF8.self)
        }

        /// Without the backslash before each byte that a shell might heed, and with line ends out of their quotes.
        private static func unquoted(_ text: some StringProtocol) -> String? {
            var plain = ""
            var rest = Substring(text).unicodeScalars[...]
            while let scalar = rest.popFirst() {
                switch scalar {
                case "\\":
                    guard let next = rest.popFirst() else { return nil }
                    plain.unicodeScalars.append(next)
                case "\"":
                    while let next = rest.popFirst(), next != "\"" { plain.unicodeScalars.append(next) }
                default: plain.unicodeScalars.append(scalar)
                }
            }
            return decoded(plain)
        }
    }
}
