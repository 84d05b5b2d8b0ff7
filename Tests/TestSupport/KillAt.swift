import Glibc

/// A kill at one system call of a second, of a daemon or of supervisors; see `Tests/Faults/kill-at.c`.
public struct KillAt: CustomStringConvertible {
    /// Whose calls are counted, and who dies at the chosen one.
    public enum Whose: String, Sendable {
        /// The daemon's; it dies.
        case daemon
        /// Those of all supervisors together; the one whose call it is dies, and the daemon lives.
        case supervisor
        /// As above, and the daemon dies with it.
        case both
    }

    public var whose = Whose.daemon
    /// Which of the stops, two for each call: before it is made, and after it. 0 kills nobody, and counts them.
    public var stop = 0
    /// Of the supervisors that are there when the daemon dies, so many percent die with it.
    public var share = 0
    public var seed: UInt64 = 0

    public init(whose: Whose, stop: Int = 0, share: Int = 0, seed: UInt64 = 0) {
        self.whose = whose
        self.stop = stop
        self.share = share
        self.seed = seed
    }

    public var description: String { "\(whose) at stop \(stop), \(share) % of the others, seed \(seed)" }

    /// What `kill-at` is given first.
    ///
    /// - Parameters:
    ///   - report: a file that is not there yet; it is when everything is done.
    ///   - second: since 1970; the calls are counted from its start.
    public func arguments(report: String, second: Int) -> [String] {
        [report, "\(second)", whose.rawValue, "\(stop)", "\(share)", "\(seed)"]
    }

    /// Builds the program, with the compiler that belongs to the Swift toolchain.
    ///
    /// - Returns: its path.
    public static func build(in folder: String) throws -> String {
        let tests = #filePath.split(separator: "/").dropLast(2).reduce("") { $0 + "/" + $1 }
        // Under its name when it is whole: another process may be about to run it.
        let (path, new) = (folder + "/botcron-kill-at", folder + "/botcron-kill-at.\(getpid())")
        let done = try TestProgram.run(
            ["clang", "-O1", "-o", new, tests + "/Faults/kill-at.c"], environment: nil)
        guard done.code == 0, rename(new, path) == 0 else {
            throw TestFailure("clang cannot build kill-at.c: \(done.output)\(done.errors)")
        }
        return path
    }

    /// What was done.
    public struct Report {
        /// Stops that were counted, to the one at which the kill fell.
        public var stops = 0
        public var isDaemonKilled = false
        /// By the folder of its attempt.
        public var supervisors: [String: Evidence] = [:]

        /// What a supervisor that was killed has left.
        public struct Evidence: Sendable {
            /// It went past its gate.
            public var hasBegun: Bool
            public var hasOutcome: Bool
        }

        public init(_ text: String) {
            for line in text.split(separator: "\n") {
                let words = line.split(separator: " ").map(String.init)
                switch words[0] {
                case "daemon": isDaemonKilled = true
                case "supervisor":
                    supervisors[words[1]] = Evidence(hasBegun: words[2] == "1", hasOutcome: words[3] == "1")
                default: stops = Int(words[1]) ?? 0
                }
            }
        }
    }
}
