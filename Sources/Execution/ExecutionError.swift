internal import Glibc
internal import Processes

/// Why an attempt could not be given to a supervisor: what was attempted, on what, what was found, what would be right.
public struct ExecutionError: Error, Equatable, Sendable, CustomStringConvertible {
    public let operation: String
    public let object: String
    public let found: String
    public let advice: String
    /// The errno; 0 where it is no call that failed.
    public let errorNumber: Int32

    public var description: String { "cannot \(operation) \(object): \(found); \(advice)" }

    /// Whether the machine or a limit had no more fds, memory or processes: a later try may succeed.
    public var isShortOfResources: Bool { ProcessError.isShortage(errorNumber) }

    init(operation: String, object: String, found: String, advice: String, errorNumber: Int32 = 0) {
        self.operation = operation
        self.object = object
        self.found = found
        self.advice = advice
        self.errorNumber = errorNumber
    }

    static func file(_ operation: String, _ path: String, code: Int32) -> ExecutionError {
        let advice =
            switch code {
            case ENOSPC, EDQUOT: "let there be room on the disk"
            case EROFS, EACCES, EPERM: "let this user write there"
            case EMFILE, ENFILE: "let fewer runs be active, or raise the limit of open files"
            case EBUSY: "end it first"
            default: "see errno \(code)"
            }
        return ExecutionError(
            operation: operation, object: "“\(path)”",
            found: code == EBUSY ? "the supervisor of an attempt holds it" : ProcessError.text(of: code),
            advice: advice, errorNumber: code)
    }

    init(_ error: ProcessError) {
        self.init(
            operation: error.operation, object: error.object, found: error.found, advice: error.advice,
            errorNumber: error.errorNumber)
    }
}
