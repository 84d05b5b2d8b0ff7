internal import Glibc
internal import Processes

/// The attempts that have a folder, in no order, read from the disk one by one: there may be a great many. What is made
/// or removed meanwhile may come or not.
public final class KeptAttempts: IteratorProtocol {
    private let folder: String
    /// nil where there is no folder.
    private let stream: OpaquePointer?

    init(in folder: String) {
        self.folder = folder
        stream = opendir(folder)
    }

    deinit {
        if let stream { closedir(stream) }
    }

    public func next() -> (run: String, attempt: Int)? {
        while let name = nextName() {
            if let attempt = attempt(named: name) { return attempt }
        }
        return nil
    }

    private func nextName() -> String? {
        guard let stream, let entry = readdir(stream) else { return nil }
        return withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
    }

    private func attempt(named name: String) -> (run: String, attempt: Int)? {
        guard let dot = name.lastIndex(of: "."), let attempt = Int(name[name.index(after: dot)...]) else { return nil }
        let run = String(name[..<dot])
        // A name that had to be made up is not the run's: that stands inside.
        guard RunFolder.name(run: run, attempt: attempt) != name || run.contains("~") else { return (run, attempt) }
        return AttemptFolder(path: "\(folder)/\(name)").identity.text("run").map { ($0, attempt) }
    }
}
