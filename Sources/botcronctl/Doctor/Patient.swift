import Glibc

/// The machine and the session that the doctor looks at: files, variables, and what programs say of them. Each look is
/// a method of its own that gives its findings; what it was told is all that it depends on.
struct Patient {
    /// Stands before every path that is not the user's own; empty but in tests.
    var root = ""
    var environment: (String) -> String? = { variable($0) }
    /// What a command prints; nil where there is no such program, or it fails. The command is made of words of ours.
    var answer: (String) -> String? = { Patient.output(of: $0) }

    /// A manager that hangs is no answer.
    private static let patienceSeconds = 5

    private static func output(of command: String) -> String? {
        let bounded = "timeout \(patienceSeconds) \(command) 2>/dev/null"
        let bytes = try? ProgramText.output(of: bounded, named: command)
        return bytes.map { String(decoding: $0, as: UTF8.self) }
    }

    var home: String { environment("HOME") ?? "/" }

    /// `XDG_CONFIG_HOME`, `XDG_DATA_HOME`, …: what is no absolute path counts as not set.
    func folder(_ name: String, standard: String) -> String {
        guard let folder = environment(name), folder.hasPrefix("/") else { return home + "/" + standard }
        return folder
    }

    /// `NAME=VALUE` lines.
    func values(_ text: String) -> [String: String] {
        var values: [String: String] = [:]
        for line in text.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            values[String(line[..<equals])] = String(line[line.index(after: equals)...])
        }
        return values
    }

    // MARK: - Files

    /// The first bytes of a file; nil where it cannot be read.
    func beginning(of path: String, bytesMax: Int = 65_536) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: min(bytesMax, 65_536))
        while bytes.count < bytesMax {
            let count = read(file, &buffer, min(buffer.count, bytesMax - bytes.count))
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return bytes
    }

    func text(_ path: String) -> String? { beginning(of: path).map { String(decoding: $0, as: UTF8.self) } }

    func isProgram(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }

    func isThere(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    /// What makes a file that one, whatever it is called.
    func identity(_ path: String) -> String? {
        var status = stat()
        return stat(path, &status) == 0 ? "\(status.st_dev):\(status.st_ino)" : nil
    }

    /// Names in a folder, sorted.
    func names(in folder: String) -> [String] {
        guard let handle = opendir(folder) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
