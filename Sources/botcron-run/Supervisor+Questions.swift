import Glibc
import Processes

/// Questions of the process: they go out as a remark, and what somebody answers comes as a file of the attempt's folder
/// and a signal, whoever is the daemon by then.
extension Supervisor {
    /// While a question is open the time of the process stands still, but not for ever: a daemon that never comes back
    /// answers nothing.
    private static let patienceUSec: Int64 = 8 * 86_400 * 1_000_000

    /// Whether the process waits for a person.
    var isAsking: Bool { askedUSec != nil }

    /// The process has said something: perhaps it asks.
    func hearQuestions(_ context: ContextChannel) {
        if context.openQuestion != nil, askedUSec == nil { askedUSec = SystemClock.monotonic.nowUSec }
        while context.refusedQuestions > 0 {
            context.refusedQuestions -= 1
            write(answer: #"{"error": "a question is open already: wait for its answer"}"#)
        }
    }

    /// Somebody says that there is an answer.
    func readAnswer() {
        guard let file = try? FileDescriptor.file(RunFolder.answerName),
            let bytes = file.remainder(limit: RunFolder.answerBytesMax)
        else { return }
        let record = Record(parsing: bytes, fieldsMax: RunFolder.fieldsMax)
        guard record.isComplete, let number = record.number("question"), let line = record.text("answer"),
            context?.close(question: Int(clamping: number)) ?? false
        else { return }
        write(answer: line)
        goOn()
    }

    /// When nobody is waited for any longer.
    var answerDueUSec: Int64 { askedUSec.map { $0.addingClamped(Self.patienceUSec) } ?? .max }

    /// The time of the process goes on where it stood still.
    func goOn() {
        guard let asked = askedUSec else { return }
        askedUSec = nil
        let waited = max(0, SystemClock.monotonic.nowUSec - asked)
        timeoutUSec = timeoutUSec.addingClamped(waited)
        stallUSec = stallUSec.addingClamped(waited)
    }

    /// The pipe holds more answers than anybody asks for; one that does not fit belongs to a process that reads none.
    private func write(answer line: String) {
        guard let number = answers?.number else { return }
        let text = Array("answer \(line)\n".utf8)
        _ = text.withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
    }
}
