import DBus
import JSON
import TestSupport
import Testing

/// One way to ask the daemon for a change, and where that change is seen.
struct Asking {
    enum Way {
        case json(MemberName)
        /// Through the door of the older clients; of `manage_scheduler` with the operation.
        case older(String, operation: String? = nil)
        case typed(Face, MemberName)
        case property(Face, String)
    }

    /// The interfaces of the typed face.
    enum Face: String {
        case manager = "com.aiworkflow.BotCron.Manager1"
        case job = "com.aiworkflow.BotCron.Job1"
        case run = "com.aiworkflow.BotCron.Run1"
    }

    let way: Way
    let trace: Trace
    /// Makes what it is about, while all is well.
    var prepare: (Session, Subject) throws -> Void = { _, _ in }
    /// Of an older call: the text of its arguments alone.
    let arguments: (Subject) -> [DBusValue]
    /// What the older clients say, where that is not the same by position.
    var olderArguments: ((Subject) -> JSONValue)?
    /// What the client does itself, before anything is asked.
    var act: (Session, Subject) throws -> Void = { _, _ in }
    /// Whether it is a fact, or carried out by somebody else: it may succeed while the store cannot be written.
    var mayAlwaysSucceed = false
    /// A fact is never refused.
    var isFact = false

    /// What of the interface it stands for, as `MethodList` names it.
    var name: String {
        switch way {
        case .json(let member): "\(Session.interface).\(member)"
        case .older(let method, nil): "CallMethod \(method)"
        case .older(let method, let operation?): "CallMethod \(method) \(operation)"
        case .typed(let face, let member): "\(face.rawValue).\(member)"
        case .property(let face, let property): "\(face.rawValue).\(property)="
        }
    }

    func call(_ subject: Subject) throws -> RemoteCall {
        var path: ObjectPath { object(subject) }
        switch way {
        case .json(let member):
            return Self.remote(Session.path, Session.interface, member, arguments(subject))
        case .older(let method, _):
            return Self.remote(
                Session.path, Session.interface, "CallMethod", [.string(method)] + arguments(subject))
        case .typed(let face, let member):
            return Self.remote(path, InterfaceName(face.rawValue), member, arguments(subject))
        case .property(let face, let property):
            return Self.remote(
                path, "org.freedesktop.DBus.Properties", "Set",
                [.string(face.rawValue), .string(property), .variant(arguments(subject)[0])])
        }
    }

    private func object(_ subject: Subject) -> ObjectPath {
        switch way {
        case .typed(.job, _), .property(.job, _): Session.path.appending("jobs").appending(subject.name)
        case .typed(.run, _), .property(.run, _): Session.path.appending("runs").appending(subject.note)
        default: Session.path
        }
    }

    private static func remote(
        _ path: ObjectPath, _ interface: InterfaceName?, _ member: MemberName, _ arguments: [DBusValue]
    ) -> RemoteCall {
        RemoteCall(Session.name, path, interface, member, arguments, startsService: false, timeoutMSec: 60_000)
    }
}

/// What came of one request.
enum Answer: CustomStringConvertible {
    /// With the run, where it is about one.
    case success(run: String?)
    case refused(name: String, message: String)
    /// The daemon was killed first.
    case none

    init(_ result: Result<[DBusValue], ErrorReply>, to way: Asking.Way) {
        switch result {
        case .failure(let error) where error.name.text == "org.freedesktop.DBus.Error.NoReply": self = .none
        case .failure(let error): self = .refused(name: error.name.text, message: error.message)
        case .success(let values):
            let json = values.first?.asString.flatMap { try? JSONValue(parsing: $0) }
            if case .older = way, json?["success"] == false {
                // The older clients know no names of errors.
                self = .refused(name: "", message: json?.text("error") ?? "")
            } else {
                self = .success(run: (json?["data"] ?? json)?["execution_id"]?.stringValue)
            }
        }
    }

    var description: String {
        switch self {
        case .success: "success"
        case .refused(let name, let message): "\(name) \(message)"
        case .none: "no answer"
        }
    }
}
