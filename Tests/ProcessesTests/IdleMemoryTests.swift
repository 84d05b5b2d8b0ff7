import Glibc
import Processes
import TestSupport
import Testing

/// What a process that waits gives back, and what it must never give back.
@Suite struct IdleMemoryTests {
    private let scratch: ScratchFolder
    private let size = 1 << 20

    init() throws {
        scratch = try ScratchFolder("idle-memory")
        try TestFile.write(String(repeating: "f", count: size), to: scratch.path + "/file")
    }

    private func map(_ protection: Int32) throws -> UnsafeMutablePointer<UInt8> {
        let file = open(scratch.path + "/file", O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        let address = mmap(nil, size, protection, MAP_PRIVATE, file, 0)
        return try #require(address != MAP_FAILED ? address : nil).assumingMemoryBound(to: UInt8.self)
    }

    /// In KiB, of the mapping that begins here.
    private func resident(_ address: UnsafeMutablePointer<UInt8>) throws -> Int {
        let start = String(UInt(bitPattern: address), radix: 16) + "-"
        let lines = TestFile.text("/proc/self/smaps").split(separator: "\n").drop { !$0.hasPrefix(start) }
        let line = try #require(lines.first { $0.hasPrefix("Rss:") })
        return try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) })
    }

    private func touch(_ address: UnsafeMutablePointer<UInt8>) -> Int {
        stride(from: 0, to: size, by: 4096).count { address[$0] == UInt8(ascii: "f") }
    }

    @Test(arguments: [PROT_READ, PROT_READ | PROT_EXEC])
    func whatAFileHasIsGivenBackAndComesAgain(_ protection: Int32) throws {
        let address = try map(protection)
        defer { munmap(address, size) }
        #expect(touch(address) == 256)
        #expect(try resident(address) == 1024)
        releaseIdleMemory()
        #expect(try resident(address) == 0)
        #expect(touch(address) == 256)
    }

    /// As the loader does with its tables: written to, and only then closed to writing.
    @Test func whatWasWrittenToStays() throws {
        let address = try map(PROT_READ | PROT_WRITE)
        defer { munmap(address, size) }
        address[5000] = UInt8(ascii: "w")
        mprotect(address, size, PROT_READ)
        #expect(touch(address) == 256)
        releaseIdleMemory()
        #expect(address[5000] == UInt8(ascii: "w"))
        #expect(try resident(address) == 1024)
    }
}
