import Processes
import TestSupport
import Testing

struct ControlGroupTests {
    private let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    private func group(_ files: [String: String]) throws -> ControlGroup {
        for (name, text) in files { try TestFile.write(text, to: folder.path + "/" + name) }
        return ControlGroup(path: folder.path)
    }

    @Test func saysWhatItHasUsed() throws {
        let group = try group([
            "cpu.stat": "usage_usec 1234567\nuser_usec 1000000\nsystem_usec 234567\n", "memory.peak": "8192000\n",
            "memory.events": "low 0\nhigh 0\nmax 3\noom 2\noom_kill 1\n",
        ])
        #expect(group.cpuUSec == 1_234_567)
        #expect(group.memoryPeakBytes == 8_192_000)
        #expect(group.memoryKillCount == 1)
    }

    @Test func saysNothingWhereTheKernelDoesNot() throws {
        let group = try group(["cpu.stat": "nr_periods 0\nusage_usec\nusage_usec x\n", "memory.peak": "max\n"])
        #expect(group.cpuUSec == nil)
        #expect(group.memoryPeakBytes == nil)
        #expect(group.memoryKillCount == 0)
    }
}
