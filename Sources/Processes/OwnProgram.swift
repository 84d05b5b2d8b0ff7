internal import Glibc

/// Programs that come with the one that we are: beside it, or in the private folder below the same prefix.
public enum OwnProgram {
    /// Where one of that name is; nil where it is in none of its places.
    public static func path(of name: String) -> String? { places(of: name).first { access($0, X_OK) == 0 } }

    public static func places(of name: String) -> [String] {
        let folder = ownFolder
        return ["\(folder)/\(name)", "\(folder)/../libexec/botcron/\(name)"]
    }

    private static var ownFolder: String {
        var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = bytes.withUnsafeMutableBytes { buffer in
            buffer.bindMemory(to: CChar.self).baseAddress.map { readlink("/proc/self/exe", $0, buffer.count) } ?? 0
        }
        let path = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }
}
