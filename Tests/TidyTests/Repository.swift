import Glibc

/// The repository as text. What the tests of this folder read is read once.
enum Repository {
    /// Found from where this file really is: a package may be built through links to these folders.
    static let root: String = {
        let here = realpath(#filePath, nil)
        defer { free(here) }
        let path = here.map { String(cString: $0) } ?? #filePath
        return path.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    }()

    static let sources: [SwiftFile] = swiftFiles(below: "Sources")
    static let tests: [SwiftFile] = swiftFiles(below: "Tests")

    /// The folders of `Sources`, each a target, but for what is installed as it lies there.
    static let rooms: [String] = entries(of: "Sources").filter { $0.isFolder && $0.name != "Share" }.map(\.name)

    /// The text of a file; empty where it cannot be read, which no test here takes for good.
    static func text(_ path: String) -> String {
        guard let file = fopen("\(root)/\(path)", "r") else { return "" }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&part, 1, part.count, file), count > 0 { bytes += part[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func lines(_ path: String) -> [String] {
        text(path).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    static func exists(_ path: String) -> Bool { access("\(root)/\(path)", F_OK) == 0 }

    /// The files below a folder, as paths from the root, in order. What begins with a point is left out.
    static func files(below folder: String) -> [String] {
        entries(of: folder).flatMap { $0.isFolder ? files(below: "\(folder)/\($0.name)") : ["\(folder)/\($0.name)"] }
    }

    private static func swiftFiles(below folder: String) -> [SwiftFile] {
        files(below: folder).filter { $0.hasSuffix(".swift") }.map { SwiftFile($0, text: text($0)) }
    }

    private static func entries(of folder: String) -> [(name: String, isFolder: Bool)] {
        guard let directory = opendir("\(root)/\(folder)") else { return [] }
        defer { closedir(directory) }
        var found: [(name: String, isFolder: Bool)] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { found.append((name, entry.pointee.d_type == DT_DIR)) }
        }
        return found.sorted { $0.name < $1.name }
    }
}
