import Glibc
import JSON
import Schedules
import Scheduling
import TestSupport
import Testing

@testable import Performing

/// The targets that are files.
@Suite struct MessageFileTests {
    private let scratch: ScratchFolder
    private let memory: MemoryFile
    private let path: String

    init() throws {
        scratch = try ScratchFolder()
        memory = MemoryFile(directory: scratch.path + "/a/notes", zone: .utc)
        path = scratch.path + "/a/notes/2023-11-14.md"
    }

    private func message(_ id: String, _ occasion: Message.Occasion = .failure) -> Message {
        Message(
            id: id, job: "j", run: "r", occasion: occasion, target: "memory", title: "j failed", text: "so",
            createdAt: Instant(seconds: 1_700_000_000))
    }

    // MARK: - The memory file

    @Test func `sections follow one another, and one that is sent again is not written again`() {
        #expect(memory.append(message("m1"), "## one\n") == .sent)
        #expect(memory.append(message("m2"), "## two\n") == .sent)
        #expect(memory.append(message("m1"), "## one\n") == .sent)
        #expect(TestFile.text(path) == "<!-- m1 -->\n## one\n\n<!-- m2 -->\n## two\n")
    }

    /// What a daemon leaves that is killed while it writes.
    @Test func `a section that was cut off anywhere is made whole when its message is sent again`() throws {
        let text = "## two\n\n```text\nlines\n```\n"
        #expect(memory.append(message("m1"), "## one\n") == .sent)
        let before = TestFile.text(path)
        #expect(memory.append(message("m2"), text) == .sent)
        let whole = TestFile.text(path)
        for length in before.utf8.count..<whole.utf8.count {
            try TestFile.write(String(decoding: Array(whole.utf8)[..<length], as: UTF8.self), to: path)
            #expect(memory.append(message("m2"), text) == .sent)
            #expect(TestFile.text(path) == whole, "cut at \(length)")
        }
    }

    @Test(arguments: [
        ("", ""), ("mine", "mine\n\n"), ("mine\n", "mine\n\n"), ("mine\n\n", "mine\n\n"), ("a <", "a <\n\n"),
    ])
    func `an empty line stands between a section and what others have written`(found: String, left: String) throws {
        try TestFile.makeFolder(scratch.path + "/a/notes")
        try TestFile.write(found, to: path)
        #expect(memory.append(message("m1"), "## one\n") == .sent)
        #expect(TestFile.text(path) == left + "<!-- m1 -->\n## one\n")
    }

    @Test func `what others have written behind a section that was cut off stays`() throws {
        try TestFile.makeFolder(scratch.path + "/a/notes")
        try TestFile.write("<!-- m1 -->\n## o\nmine\n", to: path)
        #expect(memory.append(message("m1"), "## one\n") == .sent)
        #expect(TestFile.text(path) == "<!-- m1 -->\n## o\nmine\n\n<!-- m1 -->\n## one\n")
    }

    @Test func `a file that somebody has locked is left alone, and tried again`() throws {
        #expect(memory.append(message("m1"), "## one\n") == .sent)
        let file = open(path, O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        #expect(flock(file, LOCK_EX) == 0)
        guard case .failed(let why) = memory.append(message("m2"), "## two\n") else {
            Issue.record("written under somebody's lock")
            return
        }
        #expect(why.hasPrefix("cannot lock \(path): "))
        #expect(flock(file, LOCK_UN) == 0)
        #expect(memory.append(message("m2"), "## two\n") == .sent)
    }

    @Test func `a pipe in place of the file holds nobody up`() throws {
        try TestFile.makeFolder(scratch.path + "/a/notes")
        #expect(mkfifo(path, 0o600) == 0)
        #expect(memory.append(message("m1"), "## one\n") == .refused("\(path) is no file"))
    }

    @Test func `a folder that cannot be made is said`() throws {
        try TestFile.write("", to: scratch.path + "/a")
        guard case .failed(let why) = memory.append(message("m1"), "## one\n") else {
            Issue.record("written nowhere")
            return
        }
        #expect(why == "cannot open \(path): Not a directory")
    }

    // MARK: - Foreign texts

    @Test(arguments: [
        ("plain", "```text\nplain\n```"), ("a ``` b", "````text\na ``` b\n````"),
        ("`````", "``````text\n`````\n``````"),
    ])
    func `a fence is longer than any in the text`(text: String, fenced: String) {
        #expect(MarkdownText.fenced(text) == fenced)
    }

    @Test func `a text within a line stays on it`() {
        #expect(MarkdownText.line("a\nb\r\nc") == "a b c")
        #expect(MarkdownText.code("a`b``c") == "``` a`b``c ```")
    }

    // MARK: - The toast file

    @Test(arguments: ["", "{", "[]", "null", #"{"notifications": 7}"#])
    func `a toast file that is none is made anew`(text: String) throws {
        let file = scratch.path + "/notifications.json"
        try TestFile.write(text, to: file)
        #expect(ToastFile(path: file).add(message("m1"), .utc) == .sent)
        #expect(ToastFile(path: file).add(message("m2", .recovered), .utc) == .sent)
        #expect(ToastFile(path: file).add(message("m1"), .utc) == .sent)
        let entries = try JSONValue(parsing: TestFile.text(file))["notifications"]?.arrayValue ?? []
        #expect(entries.compactMap { $0["id"]?.stringValue } == ["m1", "m2"])
        #expect(entries.compactMap { $0["type"]?.stringValue } == ["error", "success"])
    }

    @Test func `a toast file in a folder that cannot be made fails the message`() throws {
        try TestFile.write("", to: scratch.path + "/plain")
        let file = scratch.path + "/plain/notifications.json"
        guard case .failed = ToastFile(path: file).add(message("m1"), .utc) else {
            Issue.record("written nowhere")
            return
        }
    }
}
