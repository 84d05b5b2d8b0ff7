/// The variables in a file of `KEY=VALUE` lines.
///
/// Empty lines and those that begin with `#` say nothing; `export` before a name is allowed; a value may stand in
/// single or double quotes, which go, with nothing in it expanded. Later lines win. Lines end with LF or CR LF, and a
/// byte order mark at the beginning is skipped.
public enum EnvironmentFile {
    /// - Throws: where it is no file that only this user can read, or a line is no `KEY=VALUE`.
    public static func read(_ path: String) throws(PrivateFileError) -> [String: String] {
        try parse(try PrivateFile.read(path), path)
    }

    /// - Parameter path: what an error says the file is.
    static func parse(_ bytes: [UInt8], _ path: String) throws(PrivateFileError) -> [String: String] {
        var bytes = bytes[...]
        if bytes.starts(with: byteOrderMark) { bytes.removeFirst(byteOrderMark.count) }
        var variables: [String: String] = [:]
        // By bytes: as Characters "\r\n" is one, and no line would end.
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            var line = trim(line)
            guard let first = line.first, first != UInt8(ascii: "#") else { continue }
            let prefix = line.prefix(export.count + 1)
            if prefix.dropLast().elementsEqual(export), let blank = prefix.last, isBlank(blank) {
                line = trim(line.dropFirst(export.count))
            }
            let parts = line.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let name = trim(parts[0])
            guard parts.count == 2, isName(name), !parts[1].contains(0) else {
                throw PrivateFileError(path, "line \(index + 1) is no KEY=VALUE", "correct it, or begin it with #")
            }
            variables[String(decoding: name, as: UTF8.self)] = String(
                decoding: unquote(trim(parts[1])), as: UTF8.self)
        }
        return variables
    }

    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
    private static let export = Array("export".utf8)

    private static func isName(_ name: ArraySlice<UInt8>) -> Bool {
        guard let first = name.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return false }
        return name.allSatisfy { byte in
            byte == UInt8(ascii: "_") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        }
    }

    private static func unquote(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard value.count > 1, let quote = value.first, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'"),
            value.last == quote
        else { return value }
        return value.dropFirst().dropLast()
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }

    private static func trim(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var text = text.drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return text
    }
}
