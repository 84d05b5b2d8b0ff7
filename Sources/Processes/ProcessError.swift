internal import CLinux
internal import Glibc

/// Why a process could not be started: what was attempted, on what, what was found, and what would be right.
public struct ProcessError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// Not at its path, or in no folder of the PATH.
        case noSuchProgram
        /// There, but not a program, or not one for us.
        case notExecutable
        /// A script whose first line names a program that is not there.
        case noInterpreter
        /// Missing, no folder, or not to be entered.
        case workingDirectory
        /// More than the kernel passes on: one text of 128 KiB, or all of them together.
        case argumentsTooLong
        /// What no process can get: no program, a NUL in a text, a bad name of a variable.
        case invalidRequest
        /// The machine or a limit has no more of it now: processes, memory, fds. A later try may succeed.
        case outOfResources
        /// It had begun, could not be followed, and was killed.
        case notFollowed
        /// Something else; `errorNumber` tells.
        case other
    }

    public let kind: Kind
    /// A verb: "start", "enter", "make".
    public let operation: String
    /// A program, a folder, a pipe.
    public let object: String
    public let errorNumber: Int32
    public let found: String
    public let advice: String

    public init(
        kind: Kind, operation: String, object: String, errorNumber: Int32, found: String, advice: String
    ) {
        self.kind = kind
        self.operation = operation
        self.object = object
        self.errorNumber = errorNumber
        self.found = found
        self.advice = advice
    }

    /// Whether the machine or a limit had no more fds, memory or processes: a later try may succeed.
    public var isShortOfResources: Bool { kind != .notFollowed && Self.isShortage(errorNumber) }

    /// Whether this errno says so.
    public static func isShortage(_ code: Int32) -> Bool { [EMFILE, ENFILE, EAGAIN, ENOMEM].contains(code) }

    public var description: String {
        "cannot \(operation) \(object): \(found); \(advice)"
    }
}

// MARK: - Before the start

extension ProcessError {
    static func workingDirectory(_ path: String, code: Int32) -> ProcessError {
        let found: String
        let advice: String
        switch code {
        case ENOENT where path.isEmpty: (found, advice) = ("its path is empty", "name an existing folder")
        case ENOENT: (found, advice) = ("no such folder", "create it, or name an existing one")
        case ENOTDIR: (found, advice) = ("not a folder", "name a folder")
        case EACCES: (found, advice) = ("no permission to enter it", "name a folder that this user may enter")
        default:
            let error = resource("enter", object: "the working directory \(quoted(path))", code: code)
            guard error.kind == .other else { return error }
            (found, advice) = (text(of: code), "name an existing folder")
        }
        return ProcessError(
            kind: .workingDirectory, operation: "enter", object: "the working directory \(quoted(path))",
            errorNumber: code, found: found, advice: advice)
    }

    static func invalid(_ found: String, advice: String, program: String) -> ProcessError {
        ProcessError(
            kind: .invalidRequest, operation: "start", object: quoted(program), errorNumber: EINVAL, found: found,
            advice: advice)
    }

    /// `what` names the one text that is too long.
    static func textTooLong(_ what: String, size: Int, limit: Int, program: String) -> ProcessError {
        ProcessError(
            kind: .argumentsTooLong, operation: "start", object: quoted(program), errorNumber: E2BIG,
            found: "\(what) has \(size) bytes, and the kernel passes on at most \(limit - 1)",
            advice: "pass long data by standard input or in a file")
    }

    /// A call that failed for want of something, or for a reason that we cannot explain better than the kernel.
    public static func resource(_ operation: String, object: String, code: Int32) -> ProcessError {
        let kind: Kind
        let advice: String
        switch code {
        case EMFILE:
            (kind, advice) = (.outOfResources, "let fewer runs be active, or raise the limit of open files (ulimit -n)")
        case ENFILE: (kind, advice) = (.outOfResources, "raise fs.file-max, or close files of other programs")
        case ENOMEM, ENOSPC: (kind, advice) = (.outOfResources, "free memory, or let fewer runs be active")
        case EAGAIN:
            (kind, advice) = (
                .outOfResources, "let fewer runs be active, or raise the limit of processes (ulimit -u, TasksMax)"
            )
        default: (kind, advice) = (.other, "see errno \(code)")
        }
        return ProcessError(
            kind: kind, operation: operation, object: object, errorNumber: code, found: text(of: code), advice: advice)
    }
}

// MARK: - Wording

extension ProcessError {
    static func quoted(_ text: String) -> String {
        // A program may come from a request: the sentence stays readable whatever it holds.
        let shown = text.unicodeScalars.prefix(quotedLimit).map { $0.value < 0x20 ? "?" : String($0) }.joined()
        return "“\(shown)\(text.unicodeScalars.count > quotedLimit ? "…" : "")”"
    }

    public static func text(of code: Int32) -> String {
        guard let text = strerror(code) else { return "errno \(code)" }
        return String(cString: text)
    }

    /// The characters of a path or program that a message shows.
    static let quotedLimit = 300
}
