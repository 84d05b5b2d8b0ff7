import Glibc

/// The number of the last commit that was told, in a file beside the store.
///
/// Not in the store itself: the mark is set between the making and the sending of signals, where a daemon that is
/// killed leaves them unsent. Writing eight bytes in place is the shortest moment that there is; a transaction takes
/// ten times as long, and a kill cannot be undone either way.
struct ToldMark {
    private let path: String
    private var file: Int32 = -1
    /// 0 where nothing was ever told.
    private(set) var number: UInt64 = 0

    /// 10 ms apart: the machine may be short of open files for a moment.
    private static let openTries = 5

    /// Greater numbers are not ours: no counting gets there.
    static let numberMax: UInt64 = 1 << 53

    /// Of the store at this path. The file is made when something is told.
    init(store: String) {
        path = store + "-told"
        // One that is there and cannot be read now would have everything told a second time.
        for _ in 0..<Self.openTries {
            file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
            if file >= 0 || errno == ENOENT { break }
            // This is the start, before anybody is served.
            usleep(10_000)
        }
        var bytes: UInt64 = 0
        if file >= 0, pread(file, &bytes, 8, 0) == 8, UInt64(littleEndian: bytes) <= Self.numberMax {
            number = UInt64(littleEndian: bytes)
        }
    }

    mutating func close() {
        if file >= 0 { _ = Glibc.close(file) }
        file = -1
    }

    /// False where it cannot be kept.
    mutating func set(_ number: UInt64) -> Bool {
        if file < 0 { file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600) }
        var bytes = number.littleEndian
        guard file >= 0, pwrite(file, &bytes, 8, 0) == 8 else { return false }
        self.number = number
        return true
    }
}
