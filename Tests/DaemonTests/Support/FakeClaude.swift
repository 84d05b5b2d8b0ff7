import Glibc
import TestSupport

/// An agent CLI that only writes down how it was called, one folder a call.
final class FakeClaude {
    private let log: String

    /// What one call was like.
    struct Call {
        let folder: String
        /// Without the interpreter and its own path.
        let arguments: [String]
        let environment: [String: String]
        /// What the first descriptors stood for, by number.
        let descriptors: [Int: String]
        let pid: Int
        let group: Int
        let sessionID: Int
        let workingDirectory: String
        /// The lines `SigBlk`, `SigIgn`, … of a child, which inherits them.
        let signals: [String]
    }

    init(bin: String, log: String) throws {
        self.log = log
        // A shell opens its script on an fd of its own, which is left out below by its target.
        let script = """
            #!/bin/sh
            new=\(log)/new.$$
            mkdir $new
            cat /proc/$$/cmdline > $new/cmdline
            cat /proc/$$/environ > $new/environ
            cat /proc/$$/stat > $new/stat
            pwd > $new/pwd
            grep ^Sig /proc/self/status > $new/signals
            find /proc/$$/fd -type l -fprintf $new/fds '%f %l\\n'
            mv $new \(log)/call.$$
            echo "agent says hello"
            """
        try TestFile.write(script + "\n", to: bin + "/claude", mode: 0o755)
    }

    /// All calls so far, in no order.
    func calls() -> [Call] {
        ScratchFolder.names(in: log).filter { $0.hasPrefix("call.") }.map { read("\(log)/\($0)") }
    }

    private func read(_ folder: String) -> Call {
        let command = Self.fields("\(folder)/cmdline")
        var environment: [String: String] = [:]
        for entry in Self.fields("\(folder)/environ") {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            environment[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
        }
        var descriptors: [Int: String] = [:]
        for line in TestFile.text("\(folder)/fds").split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, let number = Int(parts[0]), !parts[1].hasSuffix("/bin/claude") else { continue }
            descriptors[number] = String(parts[1])
        }
        // pid (name) state ppid pgrp session …
        let stat = TestFile.text("\(folder)/stat")
        let numbers = (stat.split(separator: ")").last ?? "").split(separator: " ")
        return Call(
            folder: folder, arguments: Array(command.dropFirst(2)), environment: environment, descriptors: descriptors,
            pid: Int(stat.prefix { $0 != " " }) ?? 0, group: numbers.count > 3 ? Int(numbers[2]) ?? 0 : 0,
            sessionID: numbers.count > 3 ? Int(numbers[3]) ?? 0 : 0,
            workingDirectory: TestFile.text("\(folder)/pwd").split(separator: "\n").first.map(String.init) ?? "",
            signals: TestFile.text("\(folder)/signals").split(separator: "\n").map(String.init))
    }

    private static func fields(_ file: String) -> [String] {
        var fields = TestFile.text(file).split(separator: "\0", omittingEmptySubsequences: false).map(String.init)
        if fields.last == "" { fields.removeLast() }
        return fields
    }
}
