/// One step from a value to one inside it: the key of a member, or the index of an element.
///
/// A path is an array of steps, and may be written with literals: `["schedules", "jobs", 2, "cron"]`.
public enum JSONPathStep: Hashable, Sendable {
    case key(String)
    /// Counted from 0.
    case index(Int)
}

extension JSONPathStep: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral {
    public init(stringLiteral value: String) { self = .key(value) }
    public init(integerLiteral value: Int) { self = .index(value) }
}

extension [JSONPathStep] {
    /// The path as people write it: `schedules.jobs[2].cron`, `inputs["a b"]`; `the root` where it is empty.
    public var pathText: String {
        guard !isEmpty else { return "the root" }
        var text = ""
        for step in self {
            switch step {
            case .index(let index):
                text += "[\(index)]"
            case .key(let key) where Self.isPlain(key):
                text += text.isEmpty ? key : ".\(key)"
            case .key(let key):
                text += "[\(JSONValue.string(key).compactText)]"
            }
        }
        return text
    }

    private static func isPlain(_ key: String) -> Bool {
        !key.isEmpty
            && key.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}

extension JSONValue {
    /// The value at the end of a path (the last one of a duplicated key); nil where the path leads nowhere.
    public subscript(path: [JSONPathStep]) -> JSONValue? {
        var value = self
        for step in path {
            let next =
                switch step {
                case .key(let key): value[key]
                case .index(let index): value[index]
                }
            guard let next else { return nil }
            value = next
        }
        return value
    }
}
