import Client
import Contract
import JSON

/// The daemon, as a verb asks it: each call waits for its answer, and what goes wrong is a `Failure`.
struct Daemon {
    let client: Client

    @discardableResult
    func call(
        _ method: MethodName, _ arguments: [Argument] = [], starting: Client.Starting = .ifNeeded,
        timeout: Client.Timeout = .usual
    ) throws(Failure) -> Answer {
        do {
            return try client.answer(method, arguments, starting: starting, timeout: timeout)
        } catch {
            throw Failure(error)
        }
    }

    /// Calls, and gives the JSON of the answer.
    func json(
        _ method: MethodName, _ arguments: [Argument] = [], starting: Client.Starting = .ifNeeded,
        timeout: Client.Timeout = .usual
    ) throws(Failure) -> JSONValue {
        let answer = try call(method, arguments, starting: starting, timeout: timeout)
        do {
            return try answer.json()
        } catch {
            throw Failure(error)
        }
    }

    /// A property of a daemon that runs; none is started.
    func property(_ name: String) throws(Failure) -> Value {
        do {
            return try client.property(name)
        } catch {
            throw Failure(error)
        }
    }
}
