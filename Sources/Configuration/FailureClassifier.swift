/// Tells the type of a failure (`auth`, `network`, `timeout`, …) from what the process said.
///
/// ```swift
/// let classifier = FailureClassifier(own: [.init(type: "license", texts: ["no seat left"])])
/// classifier.type(ofError: nil, output: "HTTP 401: token expired")   // "auth"
/// ```
///
/// A pattern is a piece of text, compared in lower case. One that is a number matches as a whole word only: `401` is
/// neither in `14010` nor in `401k`. The first type with a match wins: own ones in their order, then the built-in ones.
public struct FailureClassifier: Sendable, Equatable {
    public struct Patterns: Sendable, Equatable {
        public var type: String
        public var texts: [String]

        public init(type: String, texts: [String]) {
            self.type = type
            self.texts = texts
        }
    }

    /// In the order in which they are tried.
    public let patterns: [Patterns]
    private let needles: [Needle]

    public init(own: [Patterns] = []) {
        patterns = own + Self.builtIn
        needles = patterns.flatMap { patterns in patterns.texts.compactMap { Needle($0, type: patterns.type) } }
    }

    /// The type by the error text, else by the output; nil where neither holds a pattern.
    public func type(ofError error: String?, output: String?) -> String? {
        for text in [error, output] {
            if let text, let type = type(in: Array(text.utf8)) { return type }
        }
        return nil
    }

    /// The type of the first pattern (by the order of patterns) that occurs in the bytes.
    public func type(in bytes: [UInt8]) -> String? {
        // The bytes are lowered once; each needle then scans them. Twenty short scans of 1 MiB are a few milliseconds.
        let text = bytes.map { isUpper($0) ? $0 | 0x20 : $0 }
        return text.withUnsafeBufferPointer { text in needles.first { $0.occurs(in: text) }?.type }
    }

    /// Every type that a pattern can give.
    public var types: [String] { patterns.map(\.type) }

    public static let builtIn = [
        Patterns(
            type: "auth",
            texts: [
                "unauthorized", "401", "forbidden", "403", "token expired", "authentication required",
                "not authorized", "permission denied", "credentials",
            ]),
        Patterns(
            type: "network",
            texts: [
                "no route to host", "connection refused", "network unreachable", "timeout", "dial tcp",
                "connection reset", "unexpected eof", "cannot connect", "httpsconnectionpool",
            ]),
        Patterns(type: "timeout", texts: ["timed out", "deadline exceeded", "context deadline"]),
    ]
}

// MARK: - Searching

/// One pattern, ready to be searched for in lowered text.
private struct Needle: Sendable, Equatable {
    let bytes: [UInt8]
    let type: String
    let isNumber: Bool

    /// Nil for an empty pattern, which would be everywhere.
    init?(_ text: String, type: String) {
        bytes = Array(text.lowercased().utf8)
        self.type = type
        isNumber = bytes.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        if bytes.isEmpty { return nil }
    }

    func occurs(in text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard text.count >= bytes.count else { return false }
        return bytes.withUnsafeBufferPointer { bytes in
            let first = bytes[0]
            var at = 0
            let last = text.count - bytes.count
            while at <= last {
                if text[at] == first, matches(bytes, text, at), !isNumber || isWord(text, at) { return true }
                at += 1
            }
            return false
        }
    }

    private func matches(
        _ bytes: UnsafeBufferPointer<UInt8>, _ text: UnsafeBufferPointer<UInt8>, _ at: Int
    ) -> Bool {
        for index in 1..<max(1, bytes.count) where text[at + index] != bytes[index] { return false }
        return true
    }

    /// Whether neither neighbour belongs to the same word.
    private func isWord(_ text: UnsafeBufferPointer<UInt8>, _ at: Int) -> Bool {
        let end = at + bytes.count
        return (at == 0 || !isWordByte(text[at - 1])) && (end == text.count || !isWordByte(text[end]))
    }
}

private func isUpper(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") }

/// Letters, digits, `_`, and all of a scalar beyond ASCII.
private func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"), 0x80...: true
    default: false
    }
}
