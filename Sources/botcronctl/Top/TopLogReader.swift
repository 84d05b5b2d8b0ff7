import Client
import Contract
import EventLoop
import JSON

/// Reads the output of one run for the log page, to its end and on as it grows.
final class TopLogReader {
    /// Bytes of one call.
    private static let chunkBytes: UInt32 = 1 << 18
    /// How often a run that goes on is looked at: its output is a file that others write, and nothing tells of it.
    private static let followUSec: UInt64 = 500_000

    private let client: Client
    private let change: (@escaping (inout LogView) -> Void) -> Void
    private var timer: TimerSource?
    private var call: ClientCall?
    private var run: String?
    private let job: String
    private var attempt: Int?
    private var offset: Int64 = 0

    /// - Parameter run: nil: the job's last one.
    init(
        _ client: Client, job: String, run: String?, change: @escaping (@escaping (inout LogView) -> Void) -> Void
    ) throws(EventLoopError) {
        self.client = client
        self.job = job
        self.run = run
        self.change = change
        timer = try client.loop.timer(.monotonic) { [weak self] in self?.look() }
        run == nil ? findRun() : look()
    }

    func close() {
        call?.cancel()
        timer?.cancel()
    }

    private func ask(
        _ method: MethodName, _ arguments: [Argument], then: @escaping (Result<Answer, ClientError>) -> Void
    ) {
        call = client.call(method, arguments, starting: .never, then: then)
    }

    private func lookAgain() { timer?.arm(atUSec: client.loop.now(.monotonic) + Self.followUSec) }

    /// A daemon that is away comes back, and the output is a file all the while.
    private func failed(_ error: ClientError) {
        let sentence = MethodWords.plain(error.sentence)
        guard error.isAbsence else {
            return change { view in
                view.remark = sentence
                view.hasEnded = true
            }
        }
        change { $0.remark = sentence }
        lookAgain()
    }

    private func findRun() {
        ask(.getJob, [.text(job)]) { [weak self] result in
            guard let self else { return }
            do throws(ClientError) {
                let job = try result.get().json()
                guard let id = job["running"]?[0]?.stringValue ?? latestRun(of: job) else {
                    return change { view in
                        view.hasEnded = true
                        view.remark = "\(view.job) has not run yet; r on the list runs it"
                    }
                }
                run = id
                change { $0.run = id }
                look()
            } catch {
                failed(error)
            }
        }
    }

    /// First how the run is, then what it has written: of one that had ended, that is all.
    private func look() {
        guard let run else { return findRun() }
        ask(.getRun, [.text(run)]) { [weak self] result in
            guard let self else { return }
            do throws(ClientError) {
                let facts = try result.get().json()
                let status = facts.text("status")
                change { view in
                    view.status = status
                    view.remark = ""
                }
                let last = max(1, facts["attempt"]?.intValue ?? 1)
                attempt = attempt ?? last
                read(last: last, hasEnded: !["queued", "running", "retrying"].contains(status))
            } catch {
                failed(error)
            }
        }
    }

    private func read(last: Int, hasEnded: Bool) {
        guard let run, let attempt else { return }
        let arguments: [Argument] = [.text("\(run).\(attempt)"), .int64(offset), .uint32(Self.chunkBytes)]
        ask(.getOutput, arguments) { [weak self] result in
            guard let self else { return }
            guard case .success(let answer) = result else {
                if case .failure(let error) = result { failed(error) }
                return
            }
            guard let bytes = answer[0]?.bytes, let next = answer[1]?.integer, next >= offset else {
                return failed(.unreadableAnswer(.getOutput, reason: "it is not bytes and an offset"))
            }
            let missing = next - Int64(bytes.count) - offset
            offset = next
            guard bytes.isEmpty else {
                change { view in
                    if missing > 0 { view.text.note("… \(missing) bytes in between were not kept …") }
                    view.text.add(bytes)
                }
                return read(last: last, hasEnded: hasEnded)
            }
            if attempt < last {
                (self.attempt, offset) = (attempt + 1, 0)
                change { $0.text.note("… attempt \(attempt + 1) …") }
                return read(last: last, hasEnded: hasEnded)
            }
            guard hasEnded else { return lookAgain() }
            change { $0.hasEnded = true }
        }
    }
}
