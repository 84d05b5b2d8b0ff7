import JSON

/// What became of a request, on one line. A reason names a host at most: the rest of an address may be the secret.
enum Answer: Equatable {
    case sent
    case failed(String)
    /// There is nothing at that address any more, and never will be (410).
    case gone(String)

    var line: String {
        let value: JSONValue =
            switch self {
            case .sent: ["outcome": "sent"]
            case .failed(let why): ["outcome": "failed", "reason": .string(why)]
            case .gone(let why): ["outcome": "gone", "reason": .string(why)]
            }
        return value.compactText + "\n"
    }
}
