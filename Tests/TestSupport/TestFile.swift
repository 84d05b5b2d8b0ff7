public import Glibc

/// Files as tests write and read them.
public enum TestFile {
    /// Nil where there is no such file.
    public static func bytes(_ path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(file, &buffer, buffer.count)
            guard count > 0 else { return bytes }
            bytes += buffer[..<count]
        }
    }

    /// Empty where there is no such file.
    public static func text(_ path: String) -> String { String(decoding: bytes(path) ?? [], as: UTF8.self) }

    /// What belongs to the tests themselves.
    ///
    /// - Throws: where there is no such file.
    public static func ownText(_ path: String) throws -> String {
        guard let bytes = bytes(path) else { throw TestFailure("cannot read \(path): errno \(errno)") }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Writes a new file and renames it over `path`, as editors do.
    public static func write(_ text: String, to path: String, mode: mode_t = 0o600) throws {
        let new = path + ".new"
        // O_CLOEXEC: another test may start a program now, and a script that is open for writing cannot be executed.
        let file = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard file >= 0 else { throw TestFailure("cannot write \(new): errno \(errno)") }
        var bytes = Array(text.utf8)[...]
        var count = 0
        repeat {
            count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            bytes = bytes.dropFirst(max(0, count))
        } while !bytes.isEmpty && count > 0
        let code = errno
        close(file)
        guard bytes.isEmpty else { throw TestFailure("cannot write \(new): errno \(code)") }
        chmod(new, mode)
        guard rename(new, path) == 0 else { throw TestFailure("cannot rename \(new): errno \(errno)") }
    }

    /// Makes a folder, and those on the way to it that are not there.
    public static func makeFolder(_ path: String) throws {
        var made = ""
        for part in path.split(separator: "/") {
            made += "/\(part)"
            guard mkdir(made, 0o700) == 0 || errno == EEXIST else {
                throw TestFailure("cannot make the folder \(made): errno \(errno)")
            }
        }
    }
}
