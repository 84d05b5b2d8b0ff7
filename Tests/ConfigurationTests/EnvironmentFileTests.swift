import Glibc
import Testing

@testable import Configuration

@Suite struct EnvironmentFileTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var text: String
        /// Nil where the file is refused.
        var variables: [String: String]?

        var testDescription: String { text.debugDescription }
    }

    /// A file with CR LF was one variable: as a Character "\r\n" is one, and no "\n" is in it.
    static let rows = [
        Row(text: "A=1\r\nB=2\r\n", variables: ["A": "1", "B": "2"]),
        Row(text: "A=1\nB=2", variables: ["A": "1", "B": "2"]),
        Row(text: "A=1\r\n\r\n# x\r\nexport B='2 '\r\n", variables: ["A": "1", "B": "2 "]),
        Row(text: "\u{FEFF}A=1\r\nB=2", variables: ["A": "1", "B": "2"]),
        Row(text: "\u{FEFF}# only a remark\n", variables: [:]),
        Row(text: "A=\"x\r\ny\"", variables: nil),
        Row(text: "export\tA=1\n  export B = 2 \nexported=3", variables: ["A": "1", "B": "2", "exported": "3"]),
        Row(text: "A=1\u{301}\r\nB=\u{E9}=", variables: ["A": "1\u{301}", "B": "\u{E9}="]),
        Row(text: "A=1\rB=2", variables: ["A": "1\rB=2"]),
        Row(text: "A=''\nB=\"\nC='\"", variables: ["A": "", "B": "\"", "C": "'\""]),
        Row(text: "A=1\n=2", variables: nil),
        Row(text: "1A=2", variables: nil),
        Row(text: "A=1\0", variables: nil),
        Row(text: "", variables: [:]),
    ]

    @Test(arguments: rows) func linesEndAsFilesEndThem(_ row: Row) throws {
        let read = try? EnvironmentFile.parse(Array(row.text.utf8), "f")
        #expect(read == row.variables)
    }

    @Test func theLineAtFaultIsCountedAsEditorsDo() {
        let error = #expect(throws: PrivateFileError.self) {
            try EnvironmentFile.parse(Array("A=1\r\n\r\nnonsense\r\n".utf8), "f")
        }
        #expect(error?.description.contains("line 3") == true)
    }

    @Test func whatOthersCouldReadOrIsNoFileIsNotTaken() throws {
        try withScratchFolder { folder in
            let path = folder + "/env"
            try FileReplacement.replace(path, with: Array("A=1".utf8))
            #expect(try EnvironmentFile.read(path) == ["A": "1"])
            chmod(path, 0o644)
            #expect(throws: PrivateFileError.self) { try EnvironmentFile.read(path) }
            #expect(throws: PrivateFileError.self) { try EnvironmentFile.read(folder) }
            // A pipe that nobody writes to must not be waited for.
            try #require(mkfifo(folder + "/pipe", 0o600) == 0)
            #expect(throws: PrivateFileError.self) { try EnvironmentFile.read(folder + "/pipe") }
            #expect(throws: PrivateFileError.self) { try EnvironmentFile.read("/dev/zero") }
            try FileReplacement.replace(path, with: [UInt8](repeating: 35, count: PrivateFile.bytesMax + 1))
            #expect(throws: PrivateFileError.self) { try EnvironmentFile.read(path) }
        }
    }
}
