internal import DBus
internal import EventLoop
internal import Glibc
internal import Scheduling

/// Who the clients are that change something: asked of the bus with the first change of each, before it is decided.
///
/// The caller still waits for its answer then, so that its process is there to be looked at. What it calls meanwhile
/// waits behind, in order; other clients' calls go on. A bus that does not say is waited for no longer than
/// `patienceMSec`: who asked is unknown then, and what was asked for is done all the same.
final class Callers {
    /// Clients whose answer is kept. Of more, the one that was asked first is asked again.
    static let knownMax = 256
    private static let patienceMSec: Int32 = 2_000

    private var known: [BusName: ChangeAuthor] = [:]
    /// The same, in the order in which they came.
    private var order: [BusName] = []
    private var waiting: [BusName: [() -> Void]] = [:]

    var knownCount: Int { known.count }

    /// What is known of whoever sent a call.
    func author(of call: MethodCall) -> ChangeAuthor { author(ofSender: call.sender) }

    func author(ofSender sender: BusName?) -> ChangeAuthor { sender.flatMap { known[$0] } ?? .unknown }

    /// Lets a call pass: at once, or when its caller is known, where it is a change or comes after one.
    func admit(_ kind: Method.Kind, from sender: BusName?, on connection: Connection, _ pass: @escaping () -> Void) {
        guard let sender, kind != .health else { return pass() }
        if waiting[sender] != nil {
            waiting[sender]?.append(pass)
        } else if kind == .change, known[sender] == nil {
            waiting[sender] = [pass]
            ask(sender, connection)
        } else {
            pass()
        }
    }

    /// Names on the next bus are others'; who waits on this one is gone with it.
    func busIsLost() {
        known = [:]
        order = []
        waiting = [:]
    }

    private func ask(_ sender: BusName, _ connection: Connection) {
        let call = RemoteCall(
            .bus, "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetConnectionUnixProcessID", [.string(sender.text)],
            startsService: false, timeoutMSec: Self.patienceMSec)
        connection.call(call) { [weak self] result in self?.learn(sender, Self.author(sender, result)) }
    }

    private func learn(_ sender: BusName, _ author: ChangeAuthor) {
        known[sender] = author
        order.append(sender)
        if order.count > Self.knownMax { known[order.removeFirst()] = nil }
        for pass in waiting.removeValue(forKey: sender) ?? [] { pass() }
    }

    private static func author(_ sender: BusName, _ result: Result<[DBusValue], ErrorReply>) -> ChangeAuthor {
        switch result {
        case .success(let values):
            guard let pid = values.first?.asUInt32, pid > 0 else { return .unknown }
            return process(pid) ?? .gone(sender.text)
        case .failure(let error): return error.name == .nameHasNoOwner ? .gone(sender.text) : .unknown
        }
    }

    /// What the kernel says of a process: its name, and its program where we may know it. Nil where it has ended.
    private static func process(_ pid: UInt32) -> ChangeAuthor? {
        guard let name = firstLine(of: "/proc/\(pid)/comm") else { return nil }
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/\(pid)/exe", &buffer, buffer.count)
        let bytes = buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
        let executable = bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
        return .process(name: name, executable: executable)
    }

    /// Of a file of the kernel's, which is short and never waits.
    private static func firstLine(of path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: nameBytesMax)
        let count = read(file, &buffer, buffer.count)
        guard count > 0 else { return nil }
        return String(decoding: buffer.prefix(count).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    /// More than the kernel's `TASK_COMM_LEN`, also for its own threads.
    private static let nameBytesMax = 64
}
