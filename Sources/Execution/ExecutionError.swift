internal import Glibc

/// Why an attempt could not be given to a supervisor: what was attempted, on what, what was found, what would be right.
public struct ExecutionError: Error, Equatable, Sendable, CustomStringConvertible {
    public let operation: String
    public let object: String
    public let found: String
    public let advice: String

    public var description: String { "cannot \(operation) \(object): \(found); \(advice)" }

    static func file(_ operation: String, _ path: String, code: Int32) -> ExecutionError {
        let advice =
            switch code {
            case ENOSPC, EDQUOT: "let there be room on the disk"
            case EROFS, EACCES, EPERM: "let this user write there"
            case EMFILE, ENFILE: "let fewer runs be active, or raise the limit of open files"
            default: "see errno \(code)"
            }
        return ExecutionError(
            operation: operation, object: "“\(path)”",
            found: strerror(code).map { String(cString: $0) } ?? "errno \(code)", advice: advice)
    }
}
