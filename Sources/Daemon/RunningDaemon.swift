internal import Client
internal import Contract
internal import EventLoop
internal import JSON

/// The daemon that runs on the bus, as `botcrond` itself asks it: for scripts that know nothing but this program.
public final class RunningDaemon {
    private let client: Client

    /// - Throws: `StartError` 69 where there is no bus.
    public init(options: DaemonOptions) throws(StartError) {
        do {
            client = try Client(to: options.busAddress, loop: try EventLoop())
        } catch {
            throw StartError(exitCode: ExitCode.unavailable, message: (error as? ClientError)?.sentence ?? "\(error)")
        }
    }

    /// - Returns: the run as JSON.
    public func runJob(_ name: String) throws(StartError) -> String { try ask(.runJob, [.text(name)]) }

    /// - Returns: `GetStatus`, as JSON for people.
    public func status() throws(StartError) -> String {
        let text = try ask(.getStatus)
        return (try? JSONValue(parsing: text))?.prettyText(indent: 2) ?? text
    }

    /// - Returns: the answer of `Shutdown`.
    public func stop() throws(StartError) -> String { try ask(.shutdown) }

    private func ask(_ method: MethodName, _ arguments: [Argument] = []) throws(StartError) -> String {
        do {
            return try client.answer(method, arguments, starting: .never).text()
        } catch {
            switch error {
            case .noDaemon, .disconnected:
                throw StartError(
                    exitCode: ExitCode.unavailable,
                    message: "no daemon runs on this bus; start it: systemctl --user start bot-cron.service")
            default: throw StartError(exitCode: ExitCode.failure, message: error.sentence)
            }
        }
    }
}
