import DBus
import TestSupport
import Testing

@testable import Desktop

@Suite struct ScopeTests {
    @Test(arguments: [
        ("tea", "cron-tea-1", "app-botcron-tea-cron\\x2dtea\\x2d1.scope"),
        ("a.b_c:d", "1", "app-botcron-a.b_c:d-1.scope"),
        ("back\\slash", "/", "app-botcron-back\\x5cslash-\\x2f.scope"),
        ("naïve", "\u{1}", "app-botcron-na\\xc3\\xafve-\\x01.scope"),
    ]) func aNameIsEscapedPartByPart(job: String, id: String, name: String) {
        #expect(Scope(job: job, ids: [id]).names == [name])
    }

    /// Of what begins with a dot, or has a slash, systemd-escape makes something else: it takes it for a path.
    @Test func namesAreEscapedAsSystemdDoes() throws {
        let letters = Array("abzAZ09-_:.\\ @%~+=,;!?ß日e\u{301}")
        let texts = (0..<100).map { number in
            "\(number)" + String((0..<number % 20).map { letters[(number * 7 + $0 * $0) % letters.count] })
        }
        let quoted = texts.map { "'\($0)'" }.joined(separator: " ")
        let line = try TestProgram(["/bin/sh", "-c", "systemd-escape -- \(quoted)"]).readLine()
        let escaped = line.split(separator: " ")
        #expect(escaped.count == texts.count)
        for (text, escaped) in zip(texts, escaped) {
            #expect(Scope.unitName("j", text) == "app-botcron-j-\(escaped).scope", "\(text)")
        }
    }

    /// 255 bytes are what systemd takes.
    @Test func longNamesAreCutAndStayUnlikeOthers() {
        let job = String(repeating: "-", count: 128)
        let ids = (0..<100).map { "cron-" + String(repeating: "x", count: 100) + "-\($0)" }
        let names = ids.map { Scope.unitName(job, $0) }
        #expect(Set(names).count == ids.count)
        #expect(
            names.allSatisfy { $0.utf8.count <= 255 && $0.hasPrefix("app-botcron-\\x2d") && $0.hasSuffix(".scope") })
        #expect(Scope.unitName(job, ids[0]) == names[0], "the same again is the same")
    }

    @Test func limitsAreTheManagersProperties() {
        var scope = Scope(job: "tea", ids: ["1"])
        let plain = names(scope)
        #expect(plain == ["PIDs", "Description", "Slice", "CollectMode", "OOMPolicy"])
        scope.memoryMaxBytes = 1 << 30
        scope.cpuQuotaUSec = 500_000
        scope.tasksMax = 50
        #expect(names(scope) == plain + ["MemoryMax", "CPUQuotaPerSecUSec", "TasksMax"])
    }

    private func names(_ scope: Scope) -> [String] {
        (scope.arguments("tea.scope", 7)[2].asArray ?? []).compactMap { $0.asStructure?.first?.asString }
    }
}
