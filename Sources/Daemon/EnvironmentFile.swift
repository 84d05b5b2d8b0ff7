/// The variables in a file of `KEY=VALUE` lines.
///
/// Empty lines and those that begin with `#` say nothing; `export` before a name is allowed; a value may stand in single
/// or double quotes, which go, with nothing in it expanded. Later lines win.
enum EnvironmentFile {
    static func read(_ path: String) throws(PrivateFileError) -> [String: String] {
        try parse(String(decoding: try PrivateFile.read(path), as: UTF8.self), path)
    }

    static func parse(_ text: String, _ path: String) throws(PrivateFileError) -> [String: String] {
        var variables: [String: String] = [:]
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            var line = trim(line[...])
            guard !line.isEmpty, line.first != "#" else { continue }
            if line.hasPrefix("export ") { line = trim(line.dropFirst(7)) }
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = trim(parts[0])
            guard parts.count == 2, isName(name), !parts[1].utf8.contains(0) else {
                throw PrivateFileError(path, "line \(index + 1) is no KEY=VALUE", "correct it, or begin it with #")
            }
            variables[String(name)] = String(unquote(trim(parts[1])))
        }
        return variables
    }

    private static func isName(_ name: Substring) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return name.utf8.allSatisfy { byte in
            byte == UInt8(ascii: "_") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        }
    }

    private static func unquote(_ value: Substring) -> Substring {
        guard value.utf8.count > 1, let quote = value.first, quote == "\"" || quote == "'", value.last == quote else {
            return value
        }
        return value.dropFirst().dropLast()
    }

    private static func trim(_ text: Substring) -> Substring {
        func isSpace(_ character: Character) -> Bool { character == " " || character == "\t" || character == "\r" }
        var text = text.drop(while: isSpace)
        while let last = text.last, isSpace(last) { text.removeLast() }
        return text
    }
}
