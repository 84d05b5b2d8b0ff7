import Glibc
import TestSupport

/// What stands in the memory files of a folder, read as strictly as it is to be written: sections and nothing else.
struct MemoryLog {
    /// One section.
    struct Section {
        let message: String
        let run: String
        /// `success`, `failed`, …
        let status: String
        /// Within its fence.
        let output: [String]
    }

    private(set) var sections: [Section] = []
    /// What is no whole section.
    private(set) var violations: [String] = []

    init(_ folder: String) {
        for name in ScratchFolder.names(in: folder).sorted() {
            let lines = TestFile.text("\(folder)/\(name)").split(separator: "\n", omittingEmptySubsequences: false)
            read(lines.map(String.init))
        }
    }

    private mutating func read(_ lines: [String]) {
        var rest = lines[...]
        if rest.last == "" {
            rest.removeLast()
        } else {
            violations.append("the last line is not whole: \(rest.last ?? "")")
        }
        while !rest.isEmpty {
            let start = rest
            guard let section = Self.section(&rest) else {
                violations.append("no whole section begins at: \(start.prefix(4)); last read: \(rest.first ?? "")")
                // On with the next one that says that it is one.
                rest = start.dropFirst().drop { !$0.hasPrefix("<!-- ") }
                continue
            }
            sections.append(section)
            // One empty line between two.
            if let line = rest.popFirst(), line != "" || rest.isEmpty {
                violations.append("behind the section of \(section.run) stands “\(line)”")
            }
        }
    }

    private static func section(_ rest: inout ArraySlice<String>) -> Section? {
        guard let mark = rest.popFirst()?.wholeMatch(of: /<!-- (msg_\S+) -->/)?.1,
            let status = rest.popFirst()?.wholeMatch(of: /## \d\d:\d\d:\d\d \S+: (\w+)/)?.1, rest.popFirst() == ""
        else { return nil }
        var run: String?
        while let line = rest.first, line.hasPrefix("- ") {
            if line.hasPrefix("- run: ") { run = String(line.dropFirst(7)) }
            rest.removeFirst()
        }
        guard let run, rest.popFirst() == "", let fence = rest.popFirst()?.wholeMatch(of: /(`{3,})text/)?.1,
            let end = rest.firstIndex(of: String(fence))
        else { return nil }
        let output = Array(rest[..<end])
        rest = rest[(end + 1)...]
        return Section(message: String(mark), run: run, status: String(status), output: output)
    }
}
