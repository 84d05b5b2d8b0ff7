import Glibc
import Processes

/// The socket on which a process gets its context, one line and then the end of the file, and says how it does, a line
/// for each remark: `progress 40`, `cost 0.12`, `retry-after 10m`, `result {…}`, `hold 17:00`, `ask {…}`.
final class ContextChannel {
    /// The last value of each word. Before that of `hold` and of `ask` stands when it was said, in µs since 1970, and
    /// before that of `ask` the number of the question.
    private(set) var remarks: [String: String] = [:]
    private(set) var isClosed = false
    /// The question that waits for its answer.
    private(set) var openQuestion: Int?
    private var questions = 0
    /// How many questions came while one was open: each is told that it was not asked.
    var refusedQuestions = 0
    private let end: FileDescriptor
    private var unsent: ArraySlice<UInt8>
    private var line: [UInt8] = []
    /// The line is longer than `lineLimit`: it is passed over up to its end.
    private var isSkipping = false

    /// Words that are heard; lines with others are for later versions, and ignored.
    private static let words: Set<String> = ["progress", "cost", "retry-after", "result", "hold", "ask"]
    /// Bytes of one line; a longer one is ignored.
    private static let lineLimit = 1 << 16

    private init(_ end: consuming FileDescriptor, line: String) {
        self.end = end
        unsent = Array(line.utf8) + [UInt8(ascii: "\n")]
    }

    struct Ends: ~Copyable {
        let channel: ContextChannel
        /// For the process; closed here when it has been started.
        let peer: FileDescriptor
    }

    static func make(line: String) throws(ProcessError) -> Ends {
        var numbers: (Int32, Int32) = (-1, -1)
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let result = withUnsafeMutableBytes(of: &numbers) {
            socketpair(AF_UNIX, type, 0, $0.bindMemory(to: Int32.self).baseAddress)
        }
        let code = errno
        guard result == 0 else { throw .resource("make", object: "the context socket", code: code) }
        _ = fcntl(numbers.0, F_SETFL, O_NONBLOCK)
        let channel = ContextChannel(FileDescriptor(owning: numbers.0), line: line)
        channel.send()
        return Ends(channel: channel, peer: FileDescriptor(owning: numbers.1))
    }

    var number: Int32 { end.number }

    var awaitedEvents: Int16 { Int16(unsent.isEmpty ? POLLIN : POLLIN | POLLOUT) }

    /// What is sent or read in one turn of the supervisor, in pieces: whoever keeps on writing keeps nobody here.
    private static let piecesPerTurn = 8
    private static let pieceBytes = 1 << 13
    private static let sendBytes = 1 << 17

    /// Sends and reads what can be sent and read now, within bounds; the rest is for the next turn.
    func serve() {
        if !unsent.isEmpty { send() }
        for _ in 0..<Self.piecesPerTurn {
            guard readPiece() > 0 else { return }
        }
    }

    /// Reads what the socket holds now, which has all that an ended process ever said; what others say meanwhile must
    /// not keep us here.
    func drain() {
        var remaining = end.readableByteCount
        while remaining > 0 {
            let count = readPiece()
            guard count > 0 else { return }
            remaining -= count
        }
    }

    /// How many bytes; 0 when there are none now, or will be none any more.
    private func readPiece() -> Int {
        var buffer = [UInt8](repeating: 0, count: Self.pieceBytes)
        switch buffer.withUnsafeMutableBytes({ end.read(into: $0) }) {
        case .bytes(let count):
            hear(buffer[..<count])
            return count
        case .wouldBlock:
            return 0
        case .end, .failed:
            isClosed = true
            return 0
        }
    }

    private func send() {
        for _ in 0..<Self.piecesPerTurn where !unsent.isEmpty {
            let count = unsent.prefix(Self.sendBytes).withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
            let code = errno
            if count > 0 {
                unsent = unsent.dropFirst(count)
            } else if code != EINTR {
                guard code != EAGAIN else { return }
                // Nobody is there to read it.
                unsent = []
            }
        }
        if unsent.isEmpty { shutdown(number, Int32(SHUT_WR)) }
    }

    private func hear(_ bytes: ArraySlice<UInt8>) {
        for byte in bytes {
            guard byte == UInt8(ascii: "\n") else {
                if line.count < Self.lineLimit { line.append(byte) } else { isSkipping = true }
                continue
            }
            if !isSkipping { note(line) }
            line.removeAll(keepingCapacity: true)
            isSkipping = false
        }
    }

    private func note(_ line: [UInt8]) {
        // A line may end as on other systems.
        let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line[...]
        guard let gap = line.firstIndex(of: UInt8(ascii: " ")) else { return }
        let word = String(decoding: line[..<gap], as: UTF8.self)
        guard Self.words.contains(word) else { return }
        let value = line[gap...].drop { $0 == UInt8(ascii: " ") }
        note(word, String(decoding: value, as: UTF8.self))
    }

    private func note(_ word: String, _ value: String) {
        switch word {
        case "hold": remarks[word] = "\(SystemClock.realtime.nowUSec) \(value)"
        case "ask" where openQuestion != nil: refusedQuestions = min(refusedQuestions + 1, Self.refusedMax)
        case "ask":
            questions += 1
            openQuestion = questions
            remarks[word] = "\(questions) \(SystemClock.realtime.nowUSec) \(value)"
        default: remarks[word] = value
        }
    }

    /// Of questions that come while one is open so many are told that; whoever asks more does not listen.
    private static let refusedMax = 16

    /// - Returns: whether that is the question that waits.
    func close(question: Int) -> Bool {
        guard openQuestion == question else { return false }
        openQuestion = nil
        return true
    }
}
