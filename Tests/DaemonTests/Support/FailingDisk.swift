import Glibc
import TestSupport

/// A disk that fails from one moment on until it is mended, under a daemon that lives.
final class FailingDisk {
    /// What fails then: letters as in `Tests/Faults/faults.c`, with this errno, on whatever is below this path.
    struct Failure {
        let calls: String
        let code: Int32
        let path: String
    }

    let file: String
    private let map: UnsafeMutableRawPointer
    private static let byteCount = 4096
    private static let codeOffset = 16
    private static let pathOffset = 32

    /// - Parameter file: what the daemon and the test have in common; made anew.
    init(_ file: String) throws {
        self.file = file
        let number = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw TestFailure("cannot make \(file): errno \(errno)") }
        defer { close(number) }
        guard ftruncate(number, off_t(Self.byteCount)) == 0,
            let map = mmap(nil, Self.byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, number, 0), map != MAP_FAILED
        else { throw TestFailure("cannot map \(file): errno \(errno)") }
        self.map = map
    }

    deinit { munmap(map, Self.byteCount) }

    func fail(_ failure: Failure) {
        mend()
        write("\(failure.code)", at: Self.codeOffset)
        write(failure.path, at: Self.pathOffset)
        // Last: with it the fault is there.
        write(failure.calls, at: 0)
    }

    func mend() { memset(map, 0, Self.codeOffset) }

    private func write(_ text: String, at offset: Int) {
        let bytes = Array(text.utf8) + [0]
        map.advanced(by: offset).copyMemory(from: bytes, byteCount: bytes.count)
    }
}
