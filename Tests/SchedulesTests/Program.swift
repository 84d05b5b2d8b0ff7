import Glibc
import TestSupport

/// A program of the machine that serves as an oracle.
struct Program {
    var path: String

    init(_ path: String) {
        self.path = path
    }

    var isInstalled: Bool { access(path, X_OK) == 0 }

    /// What it prints, with UTC as the machine's zone, and its exit status.
    func output(_ arguments: [String]) throws -> (text: String, status: Int32) {
        let done = try TestProgram.run(
            [path] + arguments, environment: ["TZ=UTC", "LC_ALL=C", "SYSTEMD_COLORS=0"])
        return (done.output, done.code)
    }
}
