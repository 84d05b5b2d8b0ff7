extension StringProtocol {
    var trimmed: String {
        let blank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        guard let first = firstIndex(where: { !blank($0) }), let last = lastIndex(where: { !blank($0) }) else {
            return ""
        }
        return String(self[first...last])
    }

    /// What stands between one text and the next such pair: `all(between: "`", and: "`")`.
    func all(between open: Character, and close: Character) -> [String] {
        var found: [String] = []
        var rest = self[...]
        while let start = rest.firstIndex(of: open) {
            rest = rest[rest.index(after: start)...]
            guard let end = rest.firstIndex(of: close) else { break }
            found.append(String(rest[..<end]))
            rest = rest[rest.index(after: end)...]
        }
        return found
    }

    /// The identifiers in a line of code, in order, each with what stands right before and after it.
    var identifiers: [(name: String, before: Character?, after: SubSequence)] {
        var found: [(name: String, before: Character?, after: SubSequence)] = []
        var before: Character?
        var rest = self[...]
        while let first = rest.first {
            guard first.isLetter || first == "_" else {
                // A number such as 0xFF has no identifier in it.
                let skipped = first.isNumber ? rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }.count : 1
                rest = rest.dropFirst(skipped)
                before = first
                continue
            }
            let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
            rest = rest[name.endIndex...]
            found.append((String(name), before, rest))
            before = name.last
        }
        return found
    }
}

/// The words of a name: `execution`, `id`, `base` of `executionIDBase`.
func words(of name: String) -> [String] {
    var words: [String] = []
    let letters = Array(name)
    for (index, letter) in letters.enumerated() where letter.isLetter {
        let isAfterLower = index > 0 && !letters[index - 1].isUppercase
        let isBeforeLower = index + 1 < letters.count && letters[index + 1].isLowercase
        let startsWord =
            index == 0 || !letters[index - 1].isLetter || letter.isUppercase && (isAfterLower || isBeforeLower)
        if startsWord { words.append("") }
        words[words.count - 1] += letter.lowercased()
    }
    return words
}
