internal import Glibc

/// Where the program `botcron-run` is: beside the program that we are, or in its private folder below the same prefix.
enum SupervisorProgram {
    static let name = "botcron-run"

    static func find() throws(ExecutionError) -> String {
        let candidates = ["\(ownFolder)/\(name)", "\(ownFolder)/../libexec/botcron/\(name)"]
        for candidate in candidates where access(candidate, X_OK) == 0 { return candidate }
        throw ExecutionError(
            operation: "start", object: "the supervisor of the run, \(name)",
            found: "it is neither \(candidates.joined(separator: " nor "))",
            advice: "install it there; it comes with the daemon")
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
