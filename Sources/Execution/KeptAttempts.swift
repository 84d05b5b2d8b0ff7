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
        if RunFolder.name(run: run, attempt: attempt) == name, !run.contains("~") { return (run, attempt) }
        guard let run = AttemptFolder(path: "\(folder)/\(name)").identity.text("run"),
            // What stands there may be anything, and whoever removes what he finds must find that very folder.
            RunFolder.name(run: run, attempt: attempt) == name
        else { return nil }
        return (run, attempt)
    }
}
