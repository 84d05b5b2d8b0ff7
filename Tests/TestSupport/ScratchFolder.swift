public import Glibc

/// A folder of a test's own, below `TMPDIR`. It is removed with its object, and everything in it.
public final class ScratchFolder {
    public let path: String

    /// - Parameters:
    ///   - name: what the name of the folder begins with, so that one that is left behind can be told.
    ///   - mode: who may enter it; others where their programs are to find something in it.
    public init(_ name: String = "botcron-test", mode: mode_t = 0o700) throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/\(name)-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else {
            throw TestFailure("no folder for a test below \(parent): errno \(errno)")
        }
        path = String(cString: made)
        chmod(path, mode)
    }

    deinit { Self.remove(path) }

    /// Names in the folder, sorted.
    public func names() -> [String] { Self.names(in: path) }

    public static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes a file, or a folder with all that is in it; a link is not followed.
    public static func remove(_ path: String) {
        if unlink(path) == 0 { return }
        // A test may have closed a folder to itself.
        chmod(path, 0o700)
        for name in names(in: path) { remove("\(path)/\(name)") }
        rmdir(path)
    }
}
