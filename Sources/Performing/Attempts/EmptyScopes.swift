internal import Desktop
internal import EventLoop
internal import Processes

/// Ends scopes that nobody is in.
///
/// The user manager ends a scope when its last process has gone, but does not notice that of one whose only process was
/// killed while it was being placed: such a scope stays, as if it ran, until the next login. They are looked for when a
/// daemon starts, and when a supervisor was killed before it began.
final class EmptyScopes {
    /// One that is being made is empty for a moment; one that is twice, so long apart, is nobody's.
    private static let secondLookUSec: UInt64 = 1_000_000

    private let loop: EventLoop
    private let session: SessionManager
    private var timer: TimerSource?
    /// Those that were empty when they were looked at, and when that was.
    private var suspects: [String: UInt64] = [:]

    init(loop: EventLoop, session: SessionManager) throws(EventLoopError) {
        self.loop = loop
        self.session = session
        // The timer goes with its owner, this object.
        timer = try loop.timer(.monotonic, accuracyUSec: 250_000) { [unowned self] in look() }
        // As above.
        session.onArrival = { [unowned self] in lookSoon() }
    }

    func lookSoon() {
        timer?.arm(atUSec: loop.now(.monotonic) + Self.secondLookUSec)
    }

    private func look() {
        let began = loop.now(.monotonic)
        let last = suspects
        suspects = [:]
        session.readScopes { [weak self] scope in
            guard ControlGroup(place: scope.controlGroup).isEmpty else { return }
            self?.found(scope.name, since: last[scope.name] ?? began)
        }
    }

    private func found(_ name: String, since: UInt64) {
        if since + Self.secondLookUSec <= loop.now(.monotonic) {
            session.stopScope(name)
        } else {
            suspects[name] = since
            lookSoon()
        }
    }
}
