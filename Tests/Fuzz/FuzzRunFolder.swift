// A libFuzzer target for the folder of an attempt as the daemon finds it; built on the rooms Processes, EventLoop and
// Execution.
//
// An input is a row of files: a byte that chooses a name, two bytes of length, and so many of content. They are put
// into a folder, some as a pipe, a link or a folder in their place, and then everything is read that ever is, within
// bounds; the last is that the folder can be removed.

internal import EventLoop
internal import Execution
internal import Glibc
internal import Processes

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRunFolder(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = Array(UnsafeBufferPointer(start: data, count: count))[...]
    runs.fill(&input)
    runs.read()
    return 0
}

/// libFuzzer calls on one thread, and nothing here has another.
nonisolated(unsafe) private let runs = Runs()

private final class Runs {
    private let path: String
    private let loop: EventLoop
    private let runner: Runner
    private var folder: String { path + "/" + RunFolder.name(run: "run", attempt: 1) }

    private static let names = [
        "identity", "outcome", "output", "remarks", "output.0", "output.5", "output.9223372036854775807",
        "output.4611686018427387904", "output.-1", "outcome.new",
    ]

    init() {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        path = "\(parent)/fuzz-runs-\(getpid())"
        do {
            loop = try EventLoop()
            runner = try Runner(loop: loop, folder: path)
        } catch {
            preconditionFailure("there is no loop: \(error)")
        }
    }

    func fill(_ input: inout ArraySlice<UInt8>) {
        Folder(folder).remove()
        mkdir(folder, 0o700)
        while let choice = input.popFirst(), let high = input.popFirst(), let low = input.popFirst() {
            let content = input.prefix(Int(high) << 8 | Int(low))
            input = input.dropFirst(content.count)
            let file = "\(folder)/\(Self.names[Int(choice & 0x3F) % Self.names.count])"
            switch choice >> 6 {
            case 1: mkfifo(file, 0o600)
            case 2: mkdir(file, 0o700)
            case 3: symlink(content.count % 2 == 0 ? "/dev/zero" : folder, file)
            default:
                let number = open(file, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o600)
                guard number >= 0 else { continue }
                _ = FileDescriptor(owning: number).write(Array(content))
            }
        }
    }

    func read() {
        guard let found = (try? runner.survey([("run", 1)]))?.first else {
            preconditionFailure("the folder cannot be looked at")
        }
        if case .ended(let report) = found.finding { check(report.output) }
        let output = runner.output(run: "run", attempt: 1)
        check(output.excerpt())
        var next = 0
        for _ in 0..<16 {
            let part = output.read(from: next, limit: 4096)
            guard !part.bytes.isEmpty else { break }
            precondition(part.offset >= next && part.bytes.count <= 4096, "it goes back, or beyond its bound")
            next = part.nextOffset
        }
        for offset in [Int.min, -1, .max - 1, .max] { _ = output.read(from: offset, limit: .max) }
        _ = output.totalCount
        readHandle(found)
        let kept = runner.attemptsKept()
        while kept.next() != nil {}
        precondition(runner.removeOutput(run: "run", attempt: 1), "the folder stays")
        precondition(!Folder(folder).exists, "the folder is still there")
    }

    private func readHandle(_ found: SurveyedAttempt) {
        var reportCount = 0
        let handle = runner.adopt(found) { _ in reportCount += 1 }
        _ = handle.remarks
        _ = handle.isStalled
        _ = handle.pid
        _ = try? loop.runOnce(timeoutUSec: 1_000_000)
        precondition(reportCount == 1, "an attempt that nobody holds has ended")
    }

    private func check(_ excerpt: OutputExcerpt) {
        precondition(excerpt.head.count <= OutputExcerpt.partBytesMax, "the head is beyond its bound")
        precondition(excerpt.tail.count <= OutputExcerpt.partBytesMax, "the tail is beyond its bound")
        precondition(
            excerpt.totalCount >= excerpt.bytes.count && excerpt.droppedCount >= 0, "it has more than there was")
        precondition(excerpt.preview(characters: 500).unicodeScalars.count <= 500, "the preview is beyond its bound")
        _ = excerpt.lastLine
    }
}
