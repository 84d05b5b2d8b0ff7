import Glibc

/// A Swift file, taken apart by line into code, comment and strings: enough to read the code about the code.
struct SwiftFile: Sendable {
    struct Line: Sendable {
        let number: Int
        let text: String
        /// Without comments, and with nothing between the quotes of a string but what is interpolated.
        let code: String
        /// What follows `//`, or stands within `/* */`; with the third stroke of a doc comment.
        let comment: String
        let strings: [String]
    }

    /// From the root of the repository.
    let path: String
    let lines: [Line]

    init(_ path: String, text: String) {
        self.path = path
        var scanner = SwiftScanner(text)
        lines = scanner.lines()
    }

    /// `Scheduling` of `Sources/Scheduling/Job.swift`.
    var room: String { String(path.split(separator: "/").dropFirst().first ?? "") }

    /// Whether what stands in a line is explained there or in the line above.
    func isExplained(_ line: Line) -> Bool {
        if !line.comment.isEmpty { return true }
        guard line.number >= 2 else { return false }
        return !lines[line.number - 2].comment.isEmpty
    }

    /// What is said before the first line of code that is no import.
    var firstComment: String {
        var said: [String] = []
        for line in lines {
            if !line.comment.isEmpty { said.append(line.comment) }
            let code = line.code.trimmed
            if !code.isEmpty, !code.contains("import ") { break }
        }
        return said.joined(separator: "\n")
    }
}

/// One pass over the bytes of a file. It knows comments (nested too), strings of one and of several lines, raw ones,
/// and what is interpolated into them. A literal that it does not understand ends with its line.
private struct SwiftScanner {
    private let bytes: [UInt8]
    private let texts: [String]
    private var at = 0
    private var code: [UInt8] = []
    private var comment: [UInt8] = []
    private var string: [UInt8] = []
    private var strings: [String] = []
    private var done: [SwiftFile.Line] = []

    init(_ text: String) {
        bytes = Array(text.utf8)
        texts = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    mutating func lines() -> [SwiftFile.Line] {
        while at < bytes.count { scanCode(isInterpolated: false) }
        if texts.last != "" { endLine() }
        return done
    }

    /// Up to the end, or to the parenthesis that ends what is interpolated.
    private mutating func scanCode(isInterpolated: Bool) {
        var depth = 0
        while at < bytes.count {
            if !isInterpolated, code.isEmpty { takePlainCode() }
            guard at < bytes.count else { break }
            switch bytes[at] {
            case UInt8(ascii: "\n"): endLine()
            case UInt8(ascii: "/") where follows("//"): scanLineComment()
            case UInt8(ascii: "/") where follows("/*"): scanBlockComment()
            case UInt8(ascii: "\""): scanString(hashes: 0)
            case UInt8(ascii: "#") where startsRawString(): scanString(hashes: countHashes())
            case let byte:
                code.append(byte)
                at += 1
                if byte == UInt8(ascii: "(") { depth += 1 }
                if byte == UInt8(ascii: ")") { depth -= 1 }
                if isInterpolated, depth == 0 { return }
            }
        }
    }

    private mutating func scanLineComment() {
        let end = endOfLine
        comment += bytes[(at + 2)..<end]
        at = end
    }

    /// Takes the rest of a line at once in which nothing but code can begin: most lines are so.
    private mutating func takePlainCode() {
        let end = endOfLine
        let isPlain = bytes.withUnsafeBytes { buffer in
            "\"/#".utf8.allSatisfy { memchr(buffer.baseAddress! + at, Int32($0), end - at) == nil }
        }
        guard isPlain else { return }
        code += bytes[at..<end]
        at = end
    }

    private var endOfLine: Int {
        bytes.withUnsafeBytes { buffer in
            let newline = memchr(buffer.baseAddress! + at, Int32(UInt8(ascii: "\n")), bytes.count - at)
            return newline.map { UnsafeRawPointer($0) - buffer.baseAddress! } ?? bytes.count
        }
    }

    private mutating func scanBlockComment() {
        var depth = 0
        repeat {
            if follows("/*") {
                depth += 1
                at += 2
            } else if follows("*/") {
                depth -= 1
                at += 2
            } else if bytes[at] == UInt8(ascii: "\n") {
                endLine()
            } else {
                comment.append(bytes[at])
                at += 1
            }
        } while depth > 0 && at < bytes.count
    }

    private mutating func scanString(hashes: Int) {
        let end = [UInt8](repeating: UInt8(ascii: "#"), count: hashes)
        at += hashes
        let quotes: [UInt8] = Array((follows("\"\"\"") ? "\"\"\"" : "\"").utf8)
        at += quotes.count
        code.append(UInt8(ascii: "\""))
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "\n") {
                if quotes.count == 1 { break }
                endLine()
            } else if follows(quotes + end) {
                at += quotes.count + hashes
                break
            } else if bytes[at] == UInt8(ascii: "\\"), follows([UInt8(ascii: "\\")] + end) {
                at += 1 + hashes
                if at < bytes.count, bytes[at] == UInt8(ascii: "(") {
                    scanCode(isInterpolated: true)
                } else if at < bytes.count, bytes[at] != UInt8(ascii: "\n") {
                    string.append(bytes[at])
                    at += 1
                }
            } else {
                string.append(bytes[at])
                at += 1
            }
        }
        code.append(UInt8(ascii: "\""))
        endString()
    }

    private mutating func endString() {
        if !string.isEmpty { strings.append(String(decoding: string, as: UTF8.self)) }
        string.removeAll(keepingCapacity: true)
    }

    private mutating func endLine() {
        endString()
        done.append(
            SwiftFile.Line(
                number: done.count + 1, text: texts[done.count], code: String(decoding: code, as: UTF8.self),
                comment: String(decoding: comment, as: UTF8.self), strings: strings))
        code.removeAll(keepingCapacity: true)
        comment.removeAll(keepingCapacity: true)
        strings = []
        at += 1
    }

    private func follows(_ text: StaticString) -> Bool {
        guard at + text.utf8CodeUnitCount <= bytes.count else { return false }
        return text.withUTF8Buffer { text in text.indices.allSatisfy { bytes[at + $0] == text[$0] } }
    }

    private func follows(_ text: [UInt8]) -> Bool {
        at + text.count <= bytes.count && text.indices.allSatisfy { bytes[at + $0] == text[$0] }
    }

    private func countHashes() -> Int {
        bytes[at...].prefix { $0 == UInt8(ascii: "#") }.count
    }

    private func startsRawString() -> Bool {
        let quote = at + countHashes()
        return quote < bytes.count && bytes[quote] == UInt8(ascii: "\"")
    }
}
