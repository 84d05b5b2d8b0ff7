public import DBus
internal import EventLoop

/// The user's systemd, as a client of the session bus: it gives each attempt a scope of its own, below `app.slice`, and
/// knows the environment of the session as it is now.
///
/// ```swift
/// let manager = UserManager(connection: connection)
/// manager.watch {
///     guard manager.isPresent else { return }
///     manager.place(pid, in: scope) { placement in print(placement) }
///     manager.readEnvironment { environment in print(environment?["PATH"] ?? "the manager does not answer") }
/// }
/// ```
///
/// Sharp edges:
/// - There may be none (a bus of its own, a container): `isPresent` is then false, and nothing is asked of anybody.
/// - `place` and `readEnvironment` answer once, at the latest when `patienceMSec` has passed, and never from within the
///   call.
public final class UserManager {
    /// What an attempt got.
    public enum Placement: Sendable, Equatable {
        /// A scope of this name.
        case scope(String)
        /// None, for this reason.
        case refused(String)
    }

    /// Whether a manager is on the bus.
    public var isPresent: Bool { owner != nil }
    /// The environment of the session when the manager was first met.
    public private(set) var firstEnvironment: [String: String] = [:]

    private let connection: Connection
    private var owner: BusName?
    private var ownerChange: Subscription?
    /// Told of ended jobs of the manager, while one is waited for.
    private var jobEnds: Subscription?
    private var awaited: [String: AwaitedPlacement] = [:]
    private var deadlineTimer: TimerSource?

    private struct AwaitedPlacement {
        let deadlineUSec: UInt64
        let done: (Placement) -> Void
    }

    /// How long an attempt waits to be placed: then it begins without a scope.
    private static let patienceMSec: Int32 = 5000

    private static let name: BusName = "org.freedesktop.systemd1"
    private static let path: ObjectPath = "/org/freedesktop/systemd1"
    private static let interface: InterfaceName = "org.freedesktop.systemd1.Manager"
    private static let unitExists: ErrorName = "org.freedesktop.systemd1.UnitExists"

    /// - Parameter connection: to the session bus.
    public init(connection: Connection) {
        self.connection = connection
    }

    /// Looks for the manager, now and whenever it comes or goes.
    ///
    /// - Parameter settled: called once, when it is known whether there is one.
    public func watch(_ settled: @escaping () -> Void) {
        // The timer goes with its owner, this object.
        deadlineTimer = try? connection.loop.timer(.monotonic, accuracyUSec: 10_000) { [unowned self] in giveUp() }
        let rule = MatchRule(
            sender: .bus, path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus", member: "NameOwnerChanged",
            firstArgument: Self.name.text)
        // This subscription goes with it, too.
        ownerChange = connection.subscribe(rule) { [unowned self] signal in
            met(signal.arguments.last?.asString.flatMap { BusName($0) })
            // It may come to the bus a moment after us, where we were the first to want a bus at all.
            guard isPresent, firstEnvironment.isEmpty else { return }
            readEnvironment { [weak self] in self?.firstEnvironment = $0 ?? [:] }
        }
        // An answer may come when the manager of another connection has taken this one's place.
        connection.owner(of: Self.name) { [weak self] owner in
            guard let self else { return }
            met(owner?.uniqueName)
            guard isPresent else { return settled() }
            readEnvironment { [weak self] environment in
                guard let self else { return }
                firstEnvironment = environment ?? [:]
                settled()
            }
        }
    }

    /// The bus is gone, and with it every answer: attempts that wait for one begin without.
    public func lose() { met(nil) }

    private func met(_ owner: BusName?) {
        self.owner = owner
        jobEnds = nil
        // Whoever comes now knows nothing of what the one before was asked.
        fail(Array(awaited.keys), "the user manager is gone")
        guard isPresent else { return }
        // Without it the manager keeps its signals to itself.
        connection.call(call("Subscribe")) { _ in }
    }

    private func call(_ member: MemberName, _ arguments: [DBusValue] = []) -> RemoteCall {
        RemoteCall(
            Self.name, Self.path, Self.interface, member, arguments, startsService: false,
            timeoutMSec: Self.patienceMSec)
    }

    // MARK: - The environment

    /// The environment of the session as it is now, by name; nil where the manager does not say.
    public func readEnvironment(_ done: @escaping ([String: String]?) -> Void) {
        let get = RemoteCall(
            Self.name, Self.path, "org.freedesktop.DBus.Properties", "Get",
            [.string(Self.interface.text), .string("Environment")], startsService: false,
            timeoutMSec: Self.patienceMSec)
        connection.call(get) { result in
            guard case .success(let values) = result, let lines = values.first?.unwrapped.asArray else {
                return done(nil)
            }
            var environment: [String: String] = [:]
            for line in lines.compactMap(\.asString) {
                guard let sign = line.firstIndex(of: "=") else { continue }
                environment[String(line[..<sign])] = String(line[line.index(after: sign)...])
            }
            done(environment)
        }
    }

    // MARK: - Scopes

    /// Puts a process, and with it all that it will start, into a scope: under the first of its names that is free.
    public func place(_ pid: Int32, in scope: Scope, _ done: @escaping (Placement) -> Void) {
        place(pid, in: scope, named: scope.names[...], done)
    }

    private func place(
        _ pid: Int32, in scope: Scope, named names: ArraySlice<String>, _ done: @escaping (Placement) -> Void
    ) {
        guard let name = names.first(where: { awaited[$0] == nil }), let place = names.firstIndex(of: name) else {
            return done(.refused("each of its names is in use"))
        }
        let deadlineUSec = connection.loop.now(.monotonic) + UInt64(Self.patienceMSec) * 1000
        if awaited.isEmpty {
            deadlineTimer?.arm(atUSec: deadlineUSec)
            watchJobs()
        }
        awaited[name] = AwaitedPlacement(deadlineUSec: deadlineUSec, done: done)
        connection.call(call("StartTransientUnit", scope.arguments(name, pid))) { [weak self] result in
            // A success says only that there is a job for it; its end is a signal.
            guard let self, case .failure(let error) = result else { return }
            let others = names[(place + 1)...]
            guard error.name == Self.unitExists, !others.isEmpty, let entry = release(name) else {
                return finish(name, .refused("\(error)"))
            }
            self.place(pid, in: scope, named: others, entry.done)
        }
    }

    private func watchJobs() {
        let rule = MatchRule(sender: owner, path: Self.path, interface: Self.interface, member: "JobRemoved")
        // The subscription goes with this object.
        jobEnds = connection.subscribe(rule) { [unowned self] signal in
            guard signal.arguments.count == 4, let unit = signal.arguments[2].asString,
                let result = signal.arguments[3].asString
            else { return }
            finish(unit, result == "done" ? .scope(unit) : .refused("the job is \(result)"))
        }
    }

    private func finish(_ name: String, _ placement: Placement) {
        release(name)?.done(placement)
    }

    private func release(_ name: String) -> AwaitedPlacement? {
        guard let entry = awaited.removeValue(forKey: name) else { return nil }
        if awaited.isEmpty {
            jobEnds = nil
            deadlineTimer?.disarm()
        }
        return entry
    }

    private func fail(_ names: [String], _ reason: String) {
        for name in names { finish(name, .refused(reason)) }
    }

    private func giveUp() {
        let now = connection.loop.now(.monotonic)
        fail(awaited.filter { $0.value.deadlineUSec <= now }.map(\.key), "the user manager does not answer")
        if let next = awaited.values.map(\.deadlineUSec).min() { deadlineTimer?.arm(atUSec: next) }
    }
}

/// A scope that the manager keeps, of whichever daemon.
public struct KeptScope: Sendable, Hashable {
    /// The unit's name.
    public let name: String
    /// Where its processes are, from the root of the hierarchy of control groups.
    public let controlGroup: String
}

extension UserManager {
    /// Most scopes that are looked at in one go: the others when these are gone.
    private static let keptScopesMax = 100

    /// The scopes of attempts that are active, one answer for each; whoever does not say is left out.
    ///
    /// - Parameter each: called for each, in turns of their own.
    public func readScopes(_ each: @escaping (KeptScope) -> Void) {
        guard isPresent else { return }
        let list = call(
            "ListUnitsByPatterns",
            [.array([.string("active")], element: "s"), .array([.string(Scope.pattern)], element: "s")])
        connection.call(list) { [weak self] result in
            guard case .success(let values) = result, let units = values.first?.asArray else { return }
            for unit in units.prefix(Self.keptScopesMax) {
                // ssssssouso: the name is the first, the object the seventh.
                guard let fields = unit.asStructure, fields.count == 10, let name = fields[0].asString,
                    let path = fields[6].asObjectPath
                else { continue }
                self?.readControlGroup(of: name, path, each)
            }
        }
    }

    private func readControlGroup(of name: String, _ path: ObjectPath, _ each: @escaping (KeptScope) -> Void) {
        let get = RemoteCall(
            Self.name, path, "org.freedesktop.DBus.Properties", "Get",
            [.string("org.freedesktop.systemd1.Scope"), .string("ControlGroup")], startsService: false,
            timeoutMSec: Self.patienceMSec)
        connection.call(get) { result in
            guard case .success(let values) = result, let place = values.first?.unwrapped.asString else { return }
            each(KeptScope(name: name, controlGroup: place))
        }
    }

    /// Asks for the end of a scope; nobody waits for it.
    public func stopScope(_ name: String) {
        guard isPresent else { return }
        connection.call(call("StopUnit", [.string(name), .string("fail")])) { _ in }
    }
}
