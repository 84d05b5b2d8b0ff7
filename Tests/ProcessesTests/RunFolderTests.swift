import Glibc
import Processes
import Testing

struct RunFolderTests {
    @Test(arguments: [
        ("cron-backup-20260101-120000", "cron-backup-20260101-120000.1"),
        ("cron-a.b:c-1", "cron-a.b:c-1.1"),
        ("grüße", "grüße.1"),
    ])
    func isNamedForItsRun(run: String, name: String) {
        #expect(RunFolder.name(run: run, attempt: 1) == name)
    }

    @Test func keepsApartWhatANameCannotHold() {
        let ids = [
            "a/b", "a_b", "a/c", "..", ".", "", "a\nb", String(repeating: "x", count: 300),
            String(repeating: "x", count: 301),
            String(repeating: "ü", count: 150), String(repeating: "x", count: 200), String(repeating: "x", count: 201),
        ]
        let names = ids.map { RunFolder.name(run: $0, attempt: 12_345) }
        #expect(Set(names).count == ids.count)
        for name in names {
            #expect(!name.contains("/"))
            #expect(name != "." && name != "..")
            #expect(name.utf8.count <= 255)
        }
    }

    @Test func knowsAProcessFromTheNextWithItsNumber() throws {
        let own = try #require(ProcessIdentity(of: getpid()))
        #expect(own == ProcessIdentity(of: getpid()))
        let isOpen = own.open() != nil
        #expect(isOpen)
        let later = ProcessIdentity(pid: own.pid, startTicks: own.startTicks + 1, bootID: own.bootID)
        let isLaterOpen = later.open() != nil
        #expect(!isLaterOpen)
        let otherBoot = ProcessIdentity(pid: own.pid, startTicks: own.startTicks, bootID: "another")
        let isOtherOpen = otherBoot.open() != nil
        #expect(!isOtherOpen)
        #expect(ProcessIdentity(of: Int32.max) == nil)
        var record = Record()
        own.add(to: &record, prefix: "process")
        #expect(ProcessIdentity(record, prefix: "process") == own)
        #expect(ProcessIdentity(record, prefix: "supervisor") == nil)
    }
}
