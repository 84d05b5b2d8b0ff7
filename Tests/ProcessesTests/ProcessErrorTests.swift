import Glibc
import Processes
import TestSupport
import Testing

struct ProcessErrorTests {
    struct Row: CustomTestStringConvertible {
        let label: String
        var arguments: [String] = ["/bin/true"]
        var environment = ["PATH": "/usr/bin:/bin"]
        var folder = "/"
        /// A file in the working folder, whose name is `tool`.
        var tool: (content: String, mode: mode_t)?
        let kind: ProcessError.Kind
        let code: Int32
        let says: [String]
        var testDescription: String { label }
    }

    static let rows: [Row] = [
        Row(
            label: "no such program in PATH", arguments: ["no-such-program", "x"],
            environment: ["PATH": "/usr/bin:/nowhere"],
            kind: .noSuchProgram, code: ENOENT,
            says: ["cannot start “no-such-program”", "no such program in PATH “/usr/bin:/nowhere”", "full path"]),
        Row(
            label: "no such program, no PATH", arguments: ["no-such-program"], environment: [:], kind: .noSuchProgram,
            code: ENOENT, says: ["PATH is not set", "/bin:/usr/bin"]),
        Row(label: "an empty name", arguments: [""], kind: .noSuchProgram, code: ENOENT, says: ["name is empty"]),
        Row(
            label: "no such file", arguments: ["/nowhere/program"], kind: .noSuchProgram, code: ENOENT,
            says: ["“/nowhere/program”", "no such file"]),
        Row(
            label: "a path through a file", arguments: ["/etc/passwd/program"], kind: .noSuchProgram, code: ENOTDIR,
            says: ["“/etc/passwd/program”"]),
        Row(
            label: "a file that is not executable", arguments: ["./tool"], tool: ("#!/bin/sh\n", 0o644),
            kind: .notExecutable, code: EACCES, says: ["“./tool”", "not executable", "chmod +x"]),
        Row(
            label: "not executable, in PATH", arguments: ["tool"], environment: ["PATH": "."],
            tool: ("#!/bin/sh\n", 0o644),
            kind: .notExecutable, code: EACCES, says: ["“./tool” is not executable", "chmod +x"]),
        Row(
            label: "a folder", arguments: ["/usr"], kind: .notExecutable, code: EACCES,
            says: ["“/usr”", "not a file that holds a program"]),
        Row(
            label: "a missing interpreter", arguments: ["./tool"], tool: ("#!/nowhere/python -u\n", 0o755),
            kind: .noInterpreter, code: ENOENT, says: ["“/nowhere/python”", "first line"]),
        Row(
            label: "a script with the line ends of another system", arguments: ["./tool"],
            tool: ("#!/bin/sh\r\necho hello\r\n", 0o755), kind: .noInterpreter, code: ENOENT,
            says: ["“/bin/sh\\r”", "carriage return", "sed -i"]),
        Row(
            label: "neither program nor script", arguments: ["./tool"], tool: ("echo hello\n", 0o755),
            kind: .notExecutable,
            code: ENOEXEC, says: ["nor a script", "#!/bin/sh"]),
        Row(
            label: "no working directory", arguments: ["no-such-program"], folder: "/nowhere/at all",
            kind: .workingDirectory,
            code: ENOENT, says: ["cannot enter the working directory “/nowhere/at all”", "no such folder"]),
        Row(label: "an empty one", folder: "", kind: .workingDirectory, code: ENOENT, says: ["path is empty"]),
        Row(
            label: "a file as working directory", folder: "/etc/passwd", kind: .workingDirectory, code: ENOTDIR,
            says: ["“/etc/passwd”", "not a folder"]),
        Row(label: "no program", arguments: [], kind: .invalidRequest, code: EINVAL, says: ["argv is empty"]),
        Row(
            label: "a NUL in an argument", arguments: ["/bin/true", "a", "b\0c"], kind: .invalidRequest, code: EINVAL,
            says: ["argument 2 holds a NUL"]),
        Row(
            label: "a NUL in a variable", environment: ["A": "b\0c"], kind: .invalidRequest, code: EINVAL,
            says: ["the variable “A” holds a NUL"]),
        Row(
            label: "a variable without a name", environment: ["": "b"], kind: .invalidRequest, code: EINVAL,
            says: ["has the name “”"]),
        Row(
            label: "a variable with = in its name", environment: ["A=B": "c"], kind: .invalidRequest, code: EINVAL,
            says: ["“A=B”"]),
        Row(
            label: "one argument of 128 KiB",
            arguments: ["/bin/true", "short", String(repeating: "x", count: 131_072)], kind: .argumentsTooLong,
            code: E2BIG,
            says: ["cannot start “/bin/true”", "argument 2 has 131072 bytes", "at most 131071", "standard input"]),
        Row(
            label: "one variable of 128 KiB", environment: ["BIG": String(repeating: "x", count: 131_068)],
            kind: .argumentsTooLong, code: E2BIG, says: ["the variable “BIG” has 131072 bytes"]),
        Row(
            label: "too much in all",
            arguments: ["/bin/true"] + Array(repeating: String(repeating: "x", count: 130_000), count: 64),
            kind: .argumentsTooLong, code: E2BIG, says: ["arguments and environment have 83", "together"]),
    ]

    @Test(arguments: rows)
    func saysWhatIsWrongWithARequest(row: Row) throws {
        let scratch = try row.tool.map { tool in
            let scratch = try ScratchFolder()
            try scratch.file("tool", tool.content, mode: tool.mode)
            return scratch
        }
        let request = ProcessRequest(
            arguments: row.arguments, environment: row.environment, workingDirectory: scratch?.path ?? row.folder)
        do {
            let child = try Child(request)
            Issue.record("it started, and ended as \(child.waitForExit())")
        } catch {
            #expect(error.kind == row.kind)
            #expect(error.errorNumber == row.code)
            for part in row.says {
                #expect(error.description.contains(part), "\(error.description)")
            }
            #expect(error.description.utf8.count < 1000)
        }
    }

    @Test func passesOneArgumentJustBelowTheLimit() throws {
        let finished = try Finished(["printf", "%s", String(repeating: "x", count: 131_071)])
        #expect(finished.output.count == 131_071)
    }

    @Test func startsNothingWhereTheStartFails() throws {
        // Every folder and pipe that a failed start opened is closed again: 2,000 of them would show.
        let before = ProcessState.openFiles()
        for _ in 0..<2_000 {
            let request = ProcessRequest(arguments: ["/nowhere/program"], environment: [:], workingDirectory: "/")
            #expect(throws: ProcessError.self) { _ = try Child(request) }
        }
        #expect(ProcessState.openFiles() < before + 1_000, "other tests open files too, but not as many")
    }
}
