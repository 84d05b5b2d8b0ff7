internal import Contract
internal import EventLoop
public import JSON

/// Waits for the end of a run across restarts of the daemon: when it leaves and comes back (an upgrade, a crash, a
/// restart by hand), the wait goes on with the new one. Runs outlive the daemon, so nothing is lost by it.
///
/// With a request in place of an id it starts the run first. The request must carry an idempotency key: where its
/// answer is lost, it is made again, and the key leads to the same run.
///
/// ```
/// starting ──answer──▶ attached ──answer──▶ over
///     └──── the daemon leaves ────▶ away ──it is back──▶ starting, or attached
/// ```
public final class RunWait {
    /// How long a daemon that left may be away where the wait has no end of its own, in seconds. Past it the wait ends
    /// as `lost`: somebody has stopped the daemon, and the run goes on without it.
    public static let absenceSeconds = 120.0

    /// What is waited for.
    public enum Subject: Sendable {
        /// A run that is started first; JSON for `run_job` with its `idempotency_key`.
        case request(String)
        /// A run by its execution id.
        case run(String)
    }

    private enum Phase {
        case asking
        case away
        case over
    }

    private let client: Client
    private let deadlineUSec: UInt64?
    private let timeoutSeconds: Double?
    private let onAbsence: () -> Void
    private let done: (Result<JSONValue, ClientError>) -> Void
    private var phase = Phase.asking
    private var subject: Subject
    /// The daemon that was asked last; nil until one has been seen.
    private var asked: String?
    private var hasToldAbsence = false
    private var presence: ClientSubscription?
    private var call: ClientCall?
    private var timer: TimerSource?

    /// The id of the run, once it is known.
    public var executionID: String? { if case .run(let id) = subject { id } else { nil } }

    /// - Parameters:
    ///   - timeoutSeconds: how long to wait in all; nil: as long as the run takes.
    ///   - onAbsence: called once, when the daemon has left and the wait goes on.
    ///   - done: called once: with the run as it ended, or why that cannot be known.
    public init(
        _ subject: Subject, of client: Client, timeoutSeconds: Double?, onAbsence: @escaping () -> Void,
        then done: @escaping (Result<JSONValue, ClientError>) -> Void
    ) {
        self.client = client
        self.subject = subject
        self.timeoutSeconds = timeoutSeconds
        deadlineUSec = timeoutSeconds.map { EventLoop.Clock.monotonic.nowUSec + UInt64($0 * 1e6) }
        self.onAbsence = onAbsence
        self.done = done
        // First: so the owner of the name is known before the answer of the daemon, or its end, can come.
        presence = client.watchPresence { [weak self] in self?.presenceChanged($0) }
        ask()
    }

    deinit { call?.cancel() }

    // MARK: - Asking

    private func ask() {
        phase = .asking
        asked = client.presence.owner
        timer?.disarm()
        let remaining = deadlineUSec.map { deadline in
            Double(deadline - min(deadline, EventLoop.Clock.monotonic.nowUSec)) / 1e6
        }
        switch subject {
        case .request(let request):
            let timeout = min(remaining ?? .infinity, Client.answerSeconds)
            call = client.call(.runJob, [.text(request)], timeout: .seconds(timeout)) { [weak self] result in
                self?.started(result)
            }
        case .run(let id):
            // The daemon is asked, never started: one that is away was stopped, or is on its way already.
            let timeout = remaining.map { Client.Timeout.seconds($0) } ?? .forever
            call = client.call(.waitRun, [.text(id)], starting: .never, timeout: timeout) { [weak self] result in
                self?.ended(result)
            }
        }
    }

    private func started(_ result: Result<Answer, ClientError>) {
        do throws(ClientError) {
            let answer = try result.get()
            guard let id = try answer.json()["execution_id"]?.stringValue else {
                throw answer.unreadable("it names no run")
            }
            subject = .run(id)
            ask()
        } catch {
            failed(error)
        }
    }

    private func ended(_ result: Result<Answer, ClientError>) {
        do throws(ClientError) {
            finish(.success(try result.get().json()))
        } catch {
            failed(error)
        }
    }

    private func failed(_ error: ClientError) {
        // One that was never there has not left.
        guard error.isAbsence, asked != nil else { return finish(.failure(error)) }
        phase = .away
        if !hasToldAbsence {
            hasToldAbsence = true
            onAbsence()
        }
        let limit = EventLoop.Clock.monotonic.nowUSec + UInt64(Self.absenceSeconds * 1e6)
        arm(atUSec: deadlineUSec ?? limit)
        presenceChanged(client.presence)
    }

    // MARK: - While it is away

    private func presenceChanged(_ presence: Presence) {
        switch phase {
        // The daemon that the first call starts.
        case .asking: asked = asked ?? presence.owner
        // One that is about to leave still has its name.
        case .away: if let owner = presence.owner, owner != asked { ask() }
        case .over: break
        }
    }

    private func arm(atUSec usec: UInt64) {
        do {
            timer = try timer ?? client.loop.timer(.monotonic) { [weak self] in self?.stayedAway() }
        } catch {
            return finish(.failure(.internal(reason: "\(error)")))
        }
        timer?.arm(atUSec: usec)
    }

    private func stayedAway() {
        guard case .away = phase else { return }
        if let timeoutSeconds {
            finish(.failure(.timedOut(.waitRun, seconds: timeoutSeconds)))
        } else {
            finish(.failure(.lost(.waitRun)))
        }
    }

    private func finish(_ result: Result<JSONValue, ClientError>) {
        if case .over = phase { return }
        phase = .over
        presence = nil
        timer = nil
        call = nil
        done(result)
    }
}
