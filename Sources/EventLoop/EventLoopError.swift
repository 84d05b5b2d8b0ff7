internal import Glibc

/// Why the kernel or sd-event refused something.
public struct EventLoopError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was attempted, such as "watch".
    public let operation: String
    /// On what, such as "fd 7".
    public let object: String
    /// The errno, positive.
    public let code: Int32
    /// What would have been right.
    public let advice: String

    /// `code` may come as sd-event returns it, negative.
    init(_ operation: String, object: String, code: Int32, advice: String) {
        self.operation = operation
        self.object = object
        self.code = code < 0 ? -code : code
        self.advice = advice
    }

    public var description: String {
        "cannot \(operation) (\(object)): \(Self.text(of: code)) (errno \(code)); needed: \(advice)"
    }

    private static func text(of code: Int32) -> String {
        guard let text = strerror(code) else { return "unknown" }
        return String(cString: text)
    }
}
