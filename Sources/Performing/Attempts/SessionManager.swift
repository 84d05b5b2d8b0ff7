public import Desktop

/// The session that attempts begin in: the scopes that its user manager gives, and its environment as it is now.
///
/// The manager goes with the connection to its bus, which may be lost and made anew.
public final class SessionManager {
    private var manager: UserManager?
    /// Of this daemon, when it started.
    private let own: [String: String]

    /// - Parameter environment: of this process.
    public init(environment: [String: String]) {
        own = environment
    }

    /// Called when there is a manager that was not there before.
    var onArrival: () -> Void = {}

    /// Whether there is a manager to give scopes.
    public var isPresent: Bool { manager?.isPresent ?? false }

    /// There is another connection to the session bus, and on it this manager, if any.
    ///
    /// - Parameter settled: called once, when it is known whether there is one.
    public func move(to manager: UserManager, settled: @escaping () -> Void) {
        self.manager = manager
        manager.watch { [weak self] in
            settled()
            self?.onArrival()
        }
    }

    /// The bus is lost: nobody is asked any more for what nobody could hear the answer of.
    public func lose() { manager?.lose() }

    func place(_ pid: Int32, in scope: Scope, _ done: @escaping (UserManager.Placement) -> Void) {
        guard let manager else { return done(.refused("there is no user manager on the bus")) }
        manager.place(pid, in: scope, done)
    }

    /// The scopes of attempts that the manager keeps; nothing where there is none.
    func readScopes(_ each: @escaping (KeptScope) -> Void) { manager?.readScopes(each) }

    func stopScope(_ name: String) { manager?.stopScope(name) }

    /// The session's environment as its manager has it now, with what this daemon alone was given (by its unit, or by
    /// whoever started it) on top: what differed from the session's when it started.
    func readEnvironment(_ done: @escaping ([String: String]) -> Void) {
        guard let manager, manager.isPresent else { return done(own) }
        let own = own
        manager.readEnvironment { session in
            guard let session else { return done(own) }
            let first = manager.firstEnvironment
            done(session.merging(own.filter { first[$0.key] != $0.value }) { $1 })
        }
    }

    /// As it was given to this daemon.
    var ownEnvironment: [String: String] { own }
}
