import Daemon
import Glibc

/// What the command line of `botcrond` asks for.
struct CommandLineOptions {
    enum Mode: Equatable {
        case serve, listJobs, status, stop, version, help
        case runJob(String)
    }

    struct UsageError: Error {
        var message: String
    }

    var daemon = DaemonOptions()
    var mode = Mode.serve

    static var help: String { daemonHelp }

    /// - Parameter arguments: without the program's name. `--option VALUE` and `--option=VALUE` mean the same.
    init(_ arguments: [String]) throws(UsageError) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let option = String(parts[0])
            var inline = parts.count > 1 ? String(parts[1]) : nil
            func value() throws(UsageError) -> String {
                if let text = inline {
                    inline = nil
                    return text
                }
                guard let next = rest.popFirst() else { throw UsageError(message: "\(option) needs a value") }
                return next
            }
            switch option {
            case "--config": daemon.configurationPath = absolute(try value())
            case "--state-dir": daemon.statePath = absolute(try value())
            case "--bus": daemon.busAddress = try value()
            case "--verbose": daemon.isVerbose = true
            case "--run-job": try choose(.runJob(try value()), option)
            case "--list-jobs": try choose(.listJobs, option)
            case "--status": try choose(.status, option)
            case "--stop": try choose(.stop, option)
            case "--version": try choose(.version, option)
            case "--help", "-h": try choose(.help, option)
            default: throw UsageError(message: "unknown option \"\(argument)\"")
            }
            if inline != nil { throw UsageError(message: "\(option) takes no value") }
        }
    }

    private mutating func choose(_ mode: Mode, _ option: String) throws(UsageError) {
        guard self.mode == .serve || self.mode == mode else {
            throw UsageError(message: "\(option) cannot be combined with another thing to do")
        }
        self.mode = mode
    }
}

/// The daemon's paths must not depend on where it was started.
private func absolute(_ path: String) -> String {
    guard !path.hasPrefix("/"), let folder = getcwd(nil, 0) else { return path }
    defer { free(folder) }
    return String(cString: folder) + "/" + path
}

/// The environment by name; of a name that stands twice, the first.
func currentEnvironment() -> [String: String] {
    var variables: [String: String] = [:]
    var next = environ
    while let entry = next.pointee {
        let text = String(cString: entry)
        if let equals = text.firstIndex(of: "=") {
            let name = String(text[..<equals])
            if variables[name] == nil { variables[name] = String(text[text.index(after: equals)...]) }
        }
        next += 1
    }
    return variables
}

func complain(_ message: String) {
    let line = "botcrond: \(message)\n"
    _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
}
