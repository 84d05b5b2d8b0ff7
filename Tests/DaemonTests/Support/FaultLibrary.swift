import Glibc
import TestSupport

/// The library that makes system calls of a daemon go wrong; see `Tests/Faults/faults.c`. Built at its first use.
enum FaultLibrary {
    /// One call that goes wrong.
    struct Fault: CustomStringConvertible {
        enum Call: String, CaseIterable {
            case write, sync, rename, spawn, open, memory
            /// A write to a file of Markdown; it is no `write`.
            case section
        }

        enum Effect: Equatable {
            /// In place of the call.
            case kill
            case killAfter
            /// Of a section: so many bytes of it are written, then the daemon is killed.
            case cut(Int)
            /// Of a section: so many bytes of it are written, and the rest meets a full disk.
            case short(Int)
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
            case .cut(let bytes): "\(call.rawValue):\(number):cut\(bytes)"
            case .short(let bytes): "\(call.rawValue):\(number):short\(bytes)"
            case .error(let code): "\(call.rawValue):\(number):\(code)"
            }
        }
    }

    /// What a daemon's environment gets.
    static func environment(_ fault: Fault) throws -> [String: String?] {
        ["LD_PRELOAD": try built.get(), "BOTCRON_FAULT": "\(fault)"]
    }

    /// What a daemon's environment gets so that its disk fails as `disk` says, and those of its supervisors.
    static func environment(_ disk: FailingDisk) throws -> [String: String?] {
        ["LD_PRELOAD": try built.get(), "BOTCRON_FAULT_SWITCH": disk.file]
    }

    /// What a daemon was doing when it was killed, as far as signals go.
    enum Telling: Int {
        case nothing = 0
        /// It had marked them as told, and has done nothing since but send them.
        case sending = 1
        /// The bus did not take them all at once.
        case waitingForBus = 2
    }

    /// What the environment of a daemon gets, so that `telling` can be asked when it is dead.
    static func environment(tellingIn file: String) throws -> [String: String?] {
        ["LD_PRELOAD": try built.get(), "BOTCRON_TELLING": file]
    }

    static func telling(_ file: String) -> Telling {
        let bytes = TestFile.bytes(file) ?? []
        return bytes.first.flatMap { Telling(rawValue: Int($0)) } ?? .nothing
    }

    private static let built = Result {
        try CSource.build("Faults/faults.c", as: "botcron-faults.so", ["-O1", "-shared", "-fPIC", "-ldl"])
    }
}
