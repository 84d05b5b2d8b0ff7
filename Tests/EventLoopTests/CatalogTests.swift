import TestSupport
import Testing

@testable import EventLoop

/// The catalog of the journal, held together with the lines that the programs write: what each of them means, and what
/// is to be done.
@Suite struct CatalogTests {
    private static let catalog = TestPlace.package + "/Sources/Share/bot-cron.catalog"

    /// A call of the log, as far as its words.
    private struct Line {
        let place: String
        let level: String
        /// The literals of its first argument; several where a condition chooses.
        let words: [String]
    }

    private func lines() throws -> [Line] {
        let found = try TestProgram.run([
            "find", TestPlace.package + "/Sources", "-name", "*.swift", "-not", "-path", "*/botcronctl/*", "-not",
            "-name",
            "Log.swift",
        ])
        var lines: [Line] = []
        for path in found.output.split(separator: "\n").map(String.init) {
            let text = TestFile.text(path)
            for level in ["error", "warning", "info"] {
                for piece in text.split(separator: "log.\(level)(").dropFirst() {
                    lines.append(Line(place: path, level: level, words: Self.literals(ofFirstArgument: piece)))
                }
            }
        }
        return lines
    }

    private static func literals(ofFirstArgument text: some StringProtocol) -> [String] {
        var literals: [String] = []
        var literal: String?
        var depth = 0
        for character in text {
            if let known = literal {
                if character == "\"" {
                    literals.append(known)
                    literal = nil
                } else {
                    literal = known + String(character)
                }
                continue
            }
            switch character {
            case "\"": literal = ""
            case "(", "[": depth += 1
            case "," where depth == 0: return literals
            case ")", "]":
                if depth == 0 { return literals }
                depth -= 1
            default: break
            }
        }
        return literals
    }

    /// The words and the number of each entry, in the order of the file.
    private func entries() throws -> [(words: String, number: String)] {
        var entries: [(words: String, number: String)] = []
        var words = ""
        for line in TestFile.text(Self.catalog).split(separator: "\n") {
            if line.hasPrefix("# ") { words = String(line.dropFirst(2)) }
            if line.hasPrefix("-- ") { entries.append((words, String(line.dropFirst(3)))) }
        }
        return entries
    }

    /// Published values of FNV-1a, 128 bits.
    @Test(arguments: [
        ("", "6c62272e07bb014262b821756295c58d"), ("a", "d228cb696f1a8caf78912b704e4a8964"),
    ])
    func numbersAreThoseOfTheFunction(words: String, number: String) {
        #expect(MessageID.text(of: words) == number)
    }

    @Test func everyLineIsOfFixedWordsAndInTheCatalog() throws {
        let numbers = Set(try entries().map(\.number))
        let lines = try lines()
        #expect(lines.count > 80)
        for line in lines {
            #expect(!line.words.isEmpty, "\(line.place): a line of the log has no fixed words")
            for words in line.words {
                #expect(!words.contains("\\("), "\(line.place): \(words): what varies belongs into a field")
                #expect(numbers.contains(MessageID.text(of: words)), "\(line.place): \(words): the catalog lacks it")
            }
        }
    }

    @Test func everyEntryIsOfALineThatIsWritten() throws {
        let written = Set(try lines().flatMap(\.words))
        let entries = try entries()
        #expect(Set(entries.map(\.number)).count == entries.count)
        for entry in entries {
            #expect(entry.number == MessageID.text(of: entry.words), "\(entry.words)")
            #expect(written.contains(entry.words), "no line says \"\(entry.words)\"")
        }
    }

    /// The journal's own program takes the file, and shows each entry with its subject.
    @Test func journalctlReadsIt() throws {
        let root = try ScratchFolder()
        try TestFile.makeFolder(root.path + "/usr/lib/systemd/catalog")
        try TestFile.makeFolder(root.path + "/var/lib/systemd/catalog")
        try TestFile.write(TestFile.text(Self.catalog), to: root.path + "/usr/lib/systemd/catalog/bot-cron.catalog")
        let made = try TestProgram.run(["journalctl", "--root=" + root.path, "--update-catalog"])
        #expect(made.code == 0 && made.errors.isEmpty, "\(made.errors)")
        let listed = try TestProgram.run(["journalctl", "--root=" + root.path, "--list-catalog"])
        for entry in try entries() { #expect(listed.output.contains("\(entry.number) BotCron: "), "\(entry.words)") }
    }
}
