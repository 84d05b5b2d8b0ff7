import EventLoop
import Glibc
import TestSupport
import Testing

@testable import Desktop

/// What is read from the kernel's files, with files of the tests' own in their place, and with the kernel's.
@Suite struct KernelFileTests {
    private let loop: EventLoop
    private let scratch: ScratchFolder

    init() throws {
        loop = try EventLoop()
        scratch = try ScratchFolder()
    }

    @Test(
        arguments: [
            ("some avg10=12.50 avg60=0.00 avg300=0.00 total=1\nfull avg10=99.00 avg60=0 avg300=0 total=0\n", 12.5),
            ("some avg10=0.00 avg60=9.00 avg300=9.00 total=7\n", 0),
            ("some avg60=9.00\n", nil), ("some avg10=much\n", nil), ("avg10\n", nil), ("", nil),
        ] as [(String, Double?)]) func thePressureOfTenSecondsIsRead(text: String, percent: Double?) throws
    {
        try scratch.write(text, "pressure")
        let pressure = Pressure(loop, bounds: [], path: scratch.path + "/pressure") {}
        #expect(pressure.percent == percent)
    }

    /// In µs of a window of two seconds; never none, and never more than all of it.
    @Test(
        arguments: [
            (10, "some 200000 2000000"), (0.25, "some 5000 2000000"), (0, "some 1 2000000"),
            (100, "some 2000000 2000000"),
            (250, "some 2000000 2000000"),
        ] as [(Double, String)]) func aBoundIsATriggerOfTheKernel(bound: Double, trigger: String) throws
    {
        try scratch.write("some avg10=1.00 avg60=0.00 avg300=0.00 total=0 and what stood there before\n", "pressure")
        let pressure = Pressure(loop, bounds: [bound], path: scratch.path + "/pressure") {}
        #expect(pressure.percent == 1)
        // The kernel takes it to its NUL, which it wants.
        #expect(scratch.text("pressure").prefix { $0 != "\0" } == trigger[...])
        #expect(scratch.text("pressure").contains("\0"))
    }

    /// A plain file has no triggers, as a kernel before 6.5 has none for users: a timer looks.
    @Test func aChangeIsSeenWithoutTriggers() throws {
        try scratch.write("some avg10=1.00\n", "pressure")
        var changes = 0
        let pressure = Pressure(loop, bounds: [], path: scratch.path + "/pressure") { changes += 1 }
        try scratch.write("some avg10=80.00\n", "pressure")
        try loop.turn(until: "the change") { changes == 1 }
        #expect(pressure.percent == 80)
    }

    @Test(.enabled(if: access("/proc/pressure/cpu", R_OK) == 0, "this kernel measures no pressure"))
    func theKernelsPressureIsAShare() throws {
        let pressure = Pressure(loop, bounds: [5, 50]) {}
        #expect(try (0...100).contains(#require(pressure.percent)))
    }

    @Test(
        arguments: [
            ("0.52 0.58 0.59 1/467 12345\n", 0.52), ("12.00 1.00 0.00 9/467 12345\n", 12), ("", nil),
            ("busy 0.58\n", nil),
        ] as [(String, Double?)]) func theLoadOfAMinuteIsRead(text: String, average: Double?) throws
    {
        try scratch.write(text, "load")
        #expect(Load(loop, path: scratch.path + "/load") {}.average == average)
    }

    @Test func aFileThatIsNotThereIsUnknown() {
        #expect(Load(loop, path: scratch.path + "/none") {}.average == nil)
        #expect(Pressure(loop, bounds: [1], path: scratch.path + "/none") {}.percent == nil)
    }

    @Test func aPathComesAndGoes() throws {
        var changes = 0
        let presence = PathPresence(scratch.path + "/folder/file", on: loop) { changes += 1 }
        #expect(presence.isThere == false)
        mkdir(scratch.path + "/folder", 0o700)
        try scratch.write("", "folder/file")
        try loop.turn(until: "the file there") { changes == 1 }
        #expect(presence.isThere == true)
        unlink(scratch.path + "/folder/file")
        try loop.turn(until: "the file gone") { changes == 2 }
        #expect(presence.isThere == false)
    }
}
