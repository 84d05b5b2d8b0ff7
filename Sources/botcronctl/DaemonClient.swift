import DBus
import EventLoop
import Glibc
import JSON

/// The daemon, as a client sees it: methods of `com.aiworkflow.BotCron` that answer JSON.
///
/// An ordinary call starts the daemon where the bus knows how to; `isStarting: false` is for verbs that only look.
final class DaemonClient {
    static let name: BusName = "com.aiworkflow.BotCron"
    static let path: ObjectPath = "/com/aiworkflow/BotCron"
    static let interface: InterfaceName = "com.aiworkflow.BotCron"

    let loop: EventLoop
    let connection: Connection
    /// Whether the daemon was there when it was last looked for.
    private var isPresent = false

    init(busAddress: String?) throws(Failure) {
        do {
            loop = try EventLoop()
        } catch {
            throw Failure(ExitCode.failure, "com.aiworkflow.BotCron.Error.Internal", "\(error)")
        }
        do {
            connection = try Connection(to: busAddress.map { .address($0) } ?? .session, loop: loop)
        } catch {
            throw .noBus("\(error)")
        }
    }

    deinit { connection.close() }

    /// Calls, and gives the first value of the reply.
    ///
    /// - Parameter timeout: seconds; nil is the usual 25 s.
    @discardableResult
    func call(
        _ member: MemberName, _ arguments: [DBusValue] = [], isStarting: Bool = true, timeout: Timeout = .usual
    ) throws(Failure) -> DBusValue? {
        try values(member, arguments, isStarting: isStarting, timeout: timeout).first
    }

    /// Calls, and gives all values of the reply.
    func values(
        _ member: MemberName, _ arguments: [DBusValue] = [], isStarting: Bool = true, timeout: Timeout = .usual
    ) throws(Failure) -> [DBusValue] {
        if isStarting { try requireDaemon() }
        let call = RemoteCall(
            Self.name, Self.path, Self.interface, member, arguments, startsService: false,
            timeoutMSec: timeout.milliseconds)
        return try result(of: call, timeout)
    }

    /// Calls, and gives the JSON of the reply.
    func json(
        _ member: MemberName, _ arguments: [DBusValue] = [], isStarting: Bool = true, timeout: Timeout = .usual
    ) throws(Failure) -> JSONValue {
        guard let text = try call(member, arguments, isStarting: isStarting, timeout: timeout)?.asString else {
            throw .unreadableAnswer(member.text, "it holds no text")
        }
        do {
            return try JSONValue(parsing: text)
        } catch {
            throw .unreadableAnswer(member.text, error.description)
        }
    }

    /// A property of a daemon that runs; none is started.
    func property(_ name: String) throws(Failure) -> DBusValue? {
        let call = RemoteCall(
            Self.name, Self.path, "org.freedesktop.DBus.Properties", "Get",
            [.string(Self.interface.text), .string(name)], startsService: false)
        return try result(of: call, .usual).first?.unwrapped
    }

    // MARK: - Starting it

    /// A daemon is there within a tenth of a second. One that cannot start never tells the bus, which then waits for two
    /// minutes; that is why the start is a call of its own, with an end.
    private static let startMSec: Int32 = 10_000

    /// Has the bus start the daemon where none runs.
    private func requireDaemon() throws(Failure) {
        guard !isPresent else { return }
        let name = DBusValue.string(Self.name.text)
        if case .success(let values) = connection.callAndWait(Self.toBus("NameHasOwner", [name])) {
            isPresent = values == [.bool(true)]
        }
        guard !isPresent else { return }
        switch connection.callAndWait(
            Self.toBus("StartServiceByName", [name, .uint32(0)], timeoutMSec: Self.startMSec))
        {
        case .success: isPresent = true
        case .failure(let error) where error.name == .noReply:
            throw .cannotStart("it did not come within \(Self.startMSec / 1000) s", name: error.name.text)
        case .failure(let error): throw Failure(error)
        }
    }

    private static func toBus(
        _ member: MemberName, _ arguments: [DBusValue], timeoutMSec: Int32 = RemoteCall.timeoutMSecDefault
    ) -> RemoteCall {
        RemoteCall(
            .bus, "/org/freedesktop/DBus", "org.freedesktop.DBus", member, arguments, timeoutMSec: timeoutMSec)
    }

    // MARK: - Replies

    private func result(of call: RemoteCall, _ timeout: Timeout) throws(Failure) -> [DBusValue] {
        let start = loop.now(.monotonic)
        switch connection.callAndWait(call) {
        case .success(let values): return values
        case .failure(let error) where error.name == .noReply:
            // The bus has one name for both: nobody answered in time, and the one who was asked has gone.
            let waited = Int64(loop.now(.monotonic) - start) / 1000
            guard waited < Int64(timeout.milliseconds ?? .max) else { throw Failure(error) }
            throw Failure(
                ExitCode.unavailable, error.name.text, "the daemon left the bus before it answered",
                advice: ["see why: journalctl --user -u bot-cron"])
        case .failure(let error): throw Failure(error)
        }
    }

    /// How long to wait for a reply.
    enum Timeout {
        case usual, forever
        case seconds(Double)

        /// Nil: as long as it takes.
        var milliseconds: Int32? {
            switch self {
            case .usual: RemoteCall.timeoutMSecDefault
            case .forever: nil
            // Whole days beyond what the bus can count are as good as forever.
            case .seconds(let seconds): seconds * 1000 < Double(Int32.max - 1) ? Int32(seconds * 1000) : nil
            }
        }
    }
}
