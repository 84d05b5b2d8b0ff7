/// Words as a shell takes them.
enum ShellWords {
    static func text(of words: [String]) -> String { words.map { quoted($0) }.joined(separator: " ") }

    static func quoted(_ word: some StringProtocol) -> String {
        let isPlain = word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/:._-+,@=".contains($0)) }
        return isPlain && !word.isEmpty ? String(word) : inQuotes(word)
    }

    /// One word, whatever is in it.
    static func inQuotes(_ word: some StringProtocol) -> String {
        "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    /// A path; a leading `~` is the shell's to fill in.
    static func path(_ path: String) -> String {
        guard path.hasPrefix("~") else { return quoted(path) }
        let end = path.firstIndex(of: "/") ?? path.endIndex
        let rest = path[end...].drop { $0 == "/" }
        return path[..<end] + (rest.isEmpty ? "" : "/" + quoted(rest))
    }
}
