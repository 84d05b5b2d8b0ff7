import Glibc
public import JSON

/// Where config.json is, and how it is read.
public enum ConfigurationFile {
    /// A larger file is refused unread: a configuration that a person keeps is thousands of times smaller.
    public static let bytesMax = 16 << 20

    /// What is found at the path of a configuration.
    public enum Contents: Equatable, Sendable {
        /// There is no such file: no jobs, and no trouble.
        case absent
        case bytes([UInt8])
    }

    // MARK: - Places

    /// `$XDG_CONFIG_HOME/aa-workflow/config.json`; without the variable in `~/.config`.
    public static func defaultPath(environment: [String: String]) -> String {
        folder("XDG_CONFIG_HOME", below: "/.config", environment) + "/config.json"
    }

    /// `$XDG_STATE_HOME/aa-workflow`, of the store and the output of runs; without the variable in `~/.local/state`.
    public static func defaultStateDirectory(environment: [String: String]) -> String {
        folder("XDG_STATE_HOME", below: "/.local/state", environment)
    }

    /// The home folder: of the environment, else of the user database, else `/`.
    public static func homeFolder(environment: [String: String]) -> String {
        if let home = environment["HOME"], home.hasPrefix("/") { return home }
        // getpwuid's answer is copied before anything else can ask the user database.
        guard let entry = getpwuid(getuid()), let home = entry.pointee.pw_dir else { return "/" }
        return String(cString: home)
    }

    /// A relative path in such a variable is invalid and to be ignored (XDG Base Directory Specification).
    private static func folder(_ variable: String, below: String, _ environment: [String: String]) -> String {
        if let base = environment[variable], base.hasPrefix("/") { return base + "/aa-workflow" }
        let home = homeFolder(environment: environment)
        return (home == "/" ? "" : home) + below + "/aa-workflow"
    }

    // MARK: - Reading

    /// The bytes of a file.
    ///
    /// - Throws: `read PATH` with the error of the system, or that it is no regular file or larger than `bytesMax`.
    public static func load(path: String, bytesMax: Int = bytesMax) throws(ConfigurationError) -> Contents {
        // Non-blocking: opening a FIFO without a writer would wait for one.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let code = errno
            if code == ENOENT || code == ENOTDIR { return .absent }
            throw failure(path, code)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(path, errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw ConfigurationError(operation: "read", object: path, reason: "it is no regular file")
        }
        guard status.st_size <= bytesMax else { throw tooLarge(path, bytesMax) }
        return .bytes(try read(descriptor, path, expecting: Int(status.st_size), bytesMax))
    }

    private static func read(
        _ descriptor: Int32, _ path: String, expecting size: Int, _ bytesMax: Int
    ) throws(ConfigurationError) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 {
                let code = errno
                if code == EINTR { continue }
                throw failure(path, code)
            }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
            // It may grow while it is read.
            guard bytes.count <= bytesMax else { throw tooLarge(path, bytesMax) }
        }
    }

    /// The document in the bytes of a file.
    ///
    /// - Throws: `parse PATH (line L, column C)` where it is not JSON.
    public static func parse(_ bytes: [UInt8], path: String) throws(ConfigurationError) -> JSONDocument {
        do {
            return try JSONDocument(bytes: bytes)
        } catch {
            throw ConfigurationError(error, parsing: path)
        }
    }

    /// The text of a configuration, with the places of its sections and jobs. It is not taken apart yet.
    ///
    /// - Throws: as `parse`.
    public static func outline(_ bytes: [UInt8], path: String) throws(ConfigurationError) -> JSONOutline {
        do {
            return try JSONOutline(bytes: bytes, depth: outlineDepth)
        } catch {
            throw ConfigurationError(error, parsing: path)
        }
    }

    /// The root, its sections, their keys, and the jobs.
    private static let outlineDepth = 3

    private static func tooLarge(_ path: String, _ bytesMax: Int) -> ConfigurationError {
        let size = bytesMax < 1 << 20 ? "\(bytesMax >> 10) KiB" : "\(bytesMax >> 20) MiB"
        return ConfigurationError(
            operation: "read", object: path, reason: "it is larger than \(size), the most that is read")
    }

    private static func failure(_ path: String, _ code: Int32) -> ConfigurationError {
        ConfigurationError(operation: "read", object: path, errno: code)
    }
}

extension ConfigurationError {
    /// The text at that path is no JSON.
    public init(_ error: JSONError, parsing path: String) {
        self.init(
            operation: "parse", object: path, reason: error.message, line: error.line, column: error.column)
    }

    /// The system refused, with that error number.
    init(operation: String, object: String, errno code: Int32) {
        let text = strerror(code).map { String(cString: $0) } ?? "error"
        self.init(operation: operation, object: object, reason: "\(text) (errno \(code))")
        errnoCode = code
    }
}
