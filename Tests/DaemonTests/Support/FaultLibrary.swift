import EventLoop
import Glibc

/// The library that makes system calls of a daemon go wrong; see `Tests/Faults/faults.c`. Built at its first use, with
/// the compiler that belongs to the Swift toolchain.
enum FaultLibrary {
    /// One call that goes wrong.
    struct Fault: CustomStringConvertible {
        enum Call: String, CaseIterable {
            case write, sync, rename, spawn, open, memory
        }

        enum Effect: Equatable {
            /// In place of the call.
            case kill
            case killAfter
            /// The call fails with this errno.
            case error(Int32)
        }

        let call: Call
        /// The how-manieth of these calls, from 1.
        let number: Int
        let effect: Effect

        var description: String {
            switch effect {
            case .kill: "\(call.rawValue):\(number):kill"
            case .killAfter: "\(call.rawValue):\(number):killafter"
            case .error(let code): "\(call.rawValue):\(number):\(code)"
            }
        }
    }

    /// What a daemon's environment gets.
    static func environment(_ fault: Fault) throws -> [String: String?] {
        ["LD_PRELOAD": try built.get(), "BOTCRON_FAULT": "\(fault)"]
    }

    private static let built: Result<String, any Error> = Result {
        let source = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/Faults/faults.c"
        // Beside the tests themselves.
        let folder = Session.binary.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
        let library = folder + "/botcron-faults.so"
        let compiler = try Program(
            ["clang", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"],
            environment: ["PATH": String(cString: getenv("PATH"))], on: EventLoop())
        var status: Int32 = 0
        waitpid(compiler.pid, &status, 0)
        guard access(library, R_OK) == 0 else { throw TestFailure("clang cannot build \(source)") }
        return library
    }
}
