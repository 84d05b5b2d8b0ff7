/// Why a document was not edited. Its bytes are then as they were.
public enum JSONEditError: Error, Equatable, Sendable {
    /// The last step of `path` asks for a member of what is no object, or an element of what is no array.
    case wrongKind(path: [JSONPathStep], found: JSONValue.Kind)
    /// The last step of `path` is beyond the end of an array of `count` elements, or would need an array to be made.
    case indexOutOfRange(path: [JSONPathStep], count: Int)
    /// The root was to be removed, but a text is always one value.
    case rootRemoved
    /// The edited text would pass a limit.
    case limitPassed(JSONError)
}

extension JSONEditError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .wrongKind(let path, let found):
            let needed: JSONValue.Kind = if case .index = path.last { .array } else { .object }
            let holder = [JSONPathStep](path.dropLast()).pathText
            return "cannot edit \(path.pathText): \(holder) is \(found.rawValue); it must be \(needed.rawValue)"
        case .indexOutOfRange(let path, let count):
            let right = "an index from 0 to \(count) is right, \(count) to append"
            return "cannot edit \(path.pathText): the array has \(count) elements; \(right)"
        case .rootRemoved:
            return "cannot remove the root: a JSON text is always one value; set another one"
        case .limitPassed(let error):
            return "cannot edit: the text would not be readable again: \(error.message)"
        }
    }
}
