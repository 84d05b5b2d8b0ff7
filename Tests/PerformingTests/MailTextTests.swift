import JSON
import Schedules
import Scheduling
import TestSupport
import Testing

@testable import Performing

/// Messages as texts that leave the machine.
@Suite struct MailTextTests {
    private func mail(subject: String = "s", body: String = "b", from: String = "a@x.test") -> Mail {
        Mail(
            from: from, to: ["b@x.test"], subject: subject, body: body, id: "msg_1",
            date: Instant(seconds: 1_700_000_000), zone: .utc)
    }

    /// As Python's own library reads it.
    private func parsed(_ mail: Mail) throws -> JSONValue {
        let reader = """
            import email, email.policy, json, sys
            raw = sys.stdin.buffer.read()
            mail = email.message_from_bytes(raw, policy=email.policy.default)
            print(json.dumps({
                "subject": mail["Subject"], "names": mail.keys(), "date": mail["Date"],
                "body": mail.get_content().replace("\\r\\n", "\\n"),
                "defects": len(mail.defects), "longest": max(len(line) for line in raw.split(b"\\r\\n")),
                "id": mail["Message-ID"],
            }))
            """
        let done = try TestProgram.run(["/usr/bin/python3", "-c", reader], input: mail.text)
        guard done.code == 0 else { throw TestFailure(done.errors) }
        return try JSONValue(parsing: done.output)
    }

    @Test(arguments: [
        ("backup failed", "backup failed"), ("a\r\nBcc: c@x.test", "a  Bcc: c@x.test"), ("é", "é"),
        ("=?utf-8?q?x?=", "=?utf-8?q?x?="), ("a_b é?=", "a_b é?="), ("\u{1F600}\u{7F}\0x", "\u{1F600}  x"),
        (String(repeating: "é ", count: 60), String(repeating: "é ", count: 60)),
        (String(repeating: "x", count: 300), String(repeating: "x", count: 200)),
    ])
    func `a subject is one line, whatever a job is called`(subject: String, shown: String) throws {
        let mail = try parsed(mail(subject: subject))
        #expect(mail["subject"]?.stringValue == shown && mail["defects"] == 0)
        #expect(
            mail["names"] == [
                "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
                "Content-Transfer-Encoding",
            ])
        #expect(mail["longest"]?.intValue ?? 999 <= 78)
    }

    @Test(arguments: [
        "", "one\ntwo", ".\n..\n.x", "blank \ntab\t", "a=b", String(repeating: "x", count: 500),
        String(repeating: "é=", count: 100), "From here", "\u{0}\u{1F600}", "a\r\nb",
    ])
    func `a body comes as it is, in short lines`(body: String) throws {
        let text = mail(body: body).text
        let mail = try parsed(mail(body: body))
        // No line of a mail ends with CR alone.
        let expected = body == "a\r\nb" ? "a\nb" : body
        #expect(mail["body"]?.stringValue == expected + "\n")
        #expect(mail["longest"]?.intValue ?? 999 <= 76 && !text.utf8.contains { $0 > 0x7E })
        #expect(!text.split(separator: "\r\n", omittingEmptySubsequences: false).contains { $0.hasPrefix(".") })
    }

    @Test func `the date is that of the zone, and an id has a host`() throws {
        let mail = try parsed(mail(from: "ada"))
        #expect(mail["date"] == "Tue, 14 Nov 2023 22:13:20 +0000" && mail["id"] == "<msg_1@localhost>")
    }

    // MARK: - Chats and heartbeats

    @Test func `the blocks of a chat are within its bounds, and call nobody`() throws {
        let message = Message(
            id: "m", job: "j", run: "r", occasion: .failure, target: "slack", title: String(repeating: "t", count: 200),
            text: String(repeating: "<!channel>&", count: 900), createdAt: .epoch)
        let body = SlackText.body(of: message, output: String(repeating: "```<@U1>\n", count: 900))
        let blocks = try #require(body["blocks"]?.arrayValue)
        #expect(blocks.count == 4 && blocks[0]["text"]?["text"]?.stringValue?.count == 150)
        for block in blocks[1...2] {
            let text = try #require(block["text"]?["text"]?.stringValue)
            #expect(text.unicodeScalars.count <= 3_000 && !text.contains("<") && text.contains("&lt;"))
        }
        let fenced = try #require(blocks[2]["text"]?["text"]?.stringValue)
        #expect(
            fenced.hasPrefix("```\n") && fenced.hasSuffix("\n```") && !fenced.dropFirst(3).dropLast(3).contains("`"))
        #expect(body["text"]?.stringValue?.contains("<") == false)
    }

    @Test(arguments: [
        ("https://h.test/1", "https://h.test/1/start"), ("https://h.test/1/", "https://h.test/1/start"),
        ("https://h.test/1?a=b/c#d", "https://h.test/1/start?a=b/c#d"), ("https://h.test", "https://h.test/start"),
    ])
    func `a word of a heartbeat stands behind the path`(url: String, start: String) {
        #expect(Heartbeats.request(.start, url, output: "")["post"]?["url"]?.stringValue == start)
        #expect(Heartbeats.request(.success, url, output: "") == ["post": ["url": .string(url)]])
    }
}
