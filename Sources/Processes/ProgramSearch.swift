internal import CLinux
internal import Glibc

/// Finds a program as the shell would, but from the working directory and in the PATH of the process to be; and finds
/// out afterwards why the kernel did not want it.
struct ProgramSearch: ~Copyable {
    /// argv[0] of the request.
    let name: String
    /// nil where the environment has none.
    let path: String?
    private let folder: FileDescriptor

    /// Where `execvp` looks without a PATH (confstr(3), `_CS_PATH`).
    static let defaultPath = "/bin:/usr/bin"

    init(name: String, path: String?, from folder: consuming FileDescriptor) {
        self.name = name
        self.path = path
        self.folder = folder
    }

    /// The folder that relative paths start from, for the time of the call.
    var folderNumber: Int32 { folder.number }

    private var isPath: Bool { name.utf8.contains(UInt8(ascii: "/")) }

    // MARK: - Finding

    /// The path for `execve`; relative to the folder where the name or the PATH is.
    func find() throws(ProcessError) -> String {
        guard !isPath else { return name }
        guard !name.isEmpty else { throw error(.noSuchProgram, ENOENT, "its name is empty", "name a program") }
        var unusable: String?
        for entry in (path ?? Self.defaultPath).split(separator: ":", omittingEmptySubsequences: false) {
            // An empty entry is the working directory, by tradition.
            let candidate = "\(entry.isEmpty ? "." : entry)/\(name)"
            guard isFile(candidate) else { continue }
            if faccessat(folder.number, candidate, X_OK, AT_EACCESS) == 0 { return candidate }
            unusable = unusable ?? candidate
        }
        if let unusable {
            throw error(
                .notExecutable, EACCES, "\(ProcessError.quoted(unusable)) is not executable for this user",
                "make it executable (chmod +x)")
        }
        let searched = path.map { "in PATH \(ProcessError.quoted($0))" } ?? "in \(Self.defaultPath), PATH is not set"
        throw error(
            .noSuchProgram, ENOENT, "no such program \(searched)",
            "install it, give its full path, or set PATH in the environment of the job")
    }

    private func isFile(_ path: String) -> Bool {
        var status = stat()
        return fstatat(folder.number, path, &status, 0) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    // MARK: - Explaining

    /// What the kernel's `code` means for `program`, that `find` gave.
    func explain(_ code: Int32, program: String) -> ProcessError {
        switch code {
        case ENOENT, ENOTDIR: explainMissing(code, program: program)
        case EACCES, EPERM: explainRefused(code, program: program)
        case ENOEXEC, ELIBBAD:
            error(
                .notExecutable, code, "neither a program of this machine's kind nor a script",
                "let a script's first line name its interpreter, such as #!/bin/sh")
        case ELOOP, ENAMETOOLONG:
            error(.noSuchProgram, code, ProcessError.text(of: code), "give a path that leads to a program")
        case ETXTBSY:
            error(.notExecutable, code, "it is being written to just now", "replace a program by a rename")
        default: .resource("start", object: ProcessError.quoted(name), code: code)
        }
    }

    private func explainMissing(_ code: Int32, program: String) -> ProcessError {
        guard isFile(program) else {
            return error(.noSuchProgram, code, "no such file", "install it, or correct the path")
        }
        let interpreter = interpreter(of: program)
        if let interpreter, interpreter.unicodeScalars.last == "\r" {
            return error(
                .noInterpreter, code,
                "its first line ends in a carriage return, and so names the program "
                    + "“\(String(interpreter.unicodeScalars.dropLast()))\\r”, which is not there",
                "save it with line feeds alone, such as by sed -i 's/\\r$//'")
        }
        let found = interpreter.map { "its first line names \(ProcessError.quoted($0)), and there is no such program" }
        return error(
            .noInterpreter, code, found ?? "the loader that it needs is missing (a program for another system?)",
            "install the interpreter, or correct the first line")
    }

    private func explainRefused(_ code: Int32, program: String) -> ProcessError {
        var status = stat()
        guard fstatat(folder.number, program, &status, 0) == 0 else {
            return error(.notExecutable, code, ProcessError.text(of: code), "give a path that this user may follow")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            return error(.notExecutable, code, "not a file that holds a program", "name the program itself")
        }
        guard faccessat(folder.number, program, X_OK, AT_EACCESS) == 0 else {
            return error(.notExecutable, code, "not executable for this user", "make it executable (chmod +x)")
        }
        return error(
            .notExecutable, code, "\(ProcessError.text(of: code)), though its mode allows it",
            "see whether its interpreter is executable, and its file system mounted without noexec")
    }

    /// The program in a script's `#!` line; nil where there is none.
    private func interpreter(of program: String) -> String? {
        let number = openat(folder.number, program, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard number >= 0 else { return nil }
        let file = FileDescriptor(owning: number)
        // The kernel reads no more of the line than this (BINPRM_BUF_SIZE).
        var start = [UInt8](repeating: 0, count: 256)
        guard case .bytes(let count) = start.withUnsafeMutableBytes({ file.read(into: $0) }) else { return nil }
        let line = start[..<count].prefix { $0 != UInt8(ascii: "\n") }
        guard line.starts(with: "#!".utf8) else { return nil }
        let words = line.dropFirst(2).split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        return words.first.map { String(decoding: $0, as: UTF8.self) }
    }

    private func error(_ kind: ProcessError.Kind, _ code: Int32, _ found: String, _ advice: String) -> ProcessError {
        ProcessError(
            kind: kind, operation: "start", object: ProcessError.quoted(name), errorNumber: code, found: found,
            advice: advice)
    }
}
