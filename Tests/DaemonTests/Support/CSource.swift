import EventLoop
import Glibc
import TestSupport

/// A source in C below `Tests`, built with the compiler that belongs to the Swift toolchain.
enum CSource {
    /// - Returns: the path of what was built: it is beside the tests themselves.
    static func build(_ source: String, as name: String, _ flags: [String] = []) throws -> String {
        let source = TestPlace.package + "/Tests/" + source
        let built = TestPlace.built(name)
        // Under its name when it is whole: another process may be about to run it.
        let new = "\(built).\(getpid())"
        let loop = try EventLoop()
        let compiler = try Program(
            ["clang", "-o", new, source] + flags, environment: ["PATH": String(cString: getenv("PATH"))], on: loop)
        while compiler.code == nil { try loop.runOnce(timeoutUSec: 1_000_000) }
        guard compiler.code == 0, rename(new, built) == 0 else {
            throw TestFailure("clang cannot build \(source): \(compiler.text)")
        }
        return built
    }
}
