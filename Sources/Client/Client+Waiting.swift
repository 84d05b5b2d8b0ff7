public import Contract
internal import EventLoop
public import JSON

/// The client of a command line: it asks, turns the loop until the answer is there, and goes on. What else comes
/// meanwhile, signals and changes of presence, is handed out as always.
extension Client {
    /// Turns the loop until `begin` has called what it was given.
    ///
    /// ```swift
    /// let answer = try client.wait { done in client.call(.ping, then: done) }
    /// ```
    ///
    /// - Throws: what it was called with; `internal` where the loop ends before.
    public func wait<T>(_ begin: (@escaping (Result<T, ClientError>) -> Void) -> Void) throws(ClientError) -> T {
        var result: Result<T, ClientError>?
        begin { result = $0 }
        while true {
            if let result { return try result.get() }
            do {
                try loop.runOnce(timeoutUSec: nil)
            } catch {
                throw .internal(reason: "\(error)")
            }
        }
    }

    /// Calls, and gives the answer.
    @discardableResult
    public func answer(
        _ method: MethodName, _ arguments: [Argument] = [], starting: Starting = .ifNeeded, timeout: Timeout = .usual
    ) throws(ClientError) -> Answer {
        try wait { done in call(method, arguments, starting: starting, timeout: timeout, then: done) }
    }

    /// Calls, and gives the JSON of the answer.
    public func json(
        _ method: MethodName, _ arguments: [Argument] = [], starting: Starting = .ifNeeded, timeout: Timeout = .usual
    ) throws(ClientError) -> JSONValue {
        try answer(method, arguments, starting: starting, timeout: timeout).json()
    }

    /// Whose the daemon is.
    public func process() throws(ClientError) -> DaemonProcess {
        try wait { done in process(then: done) }
    }

    /// A property of a daemon that runs; none is started.
    public func property(_ name: String) throws(ClientError) -> Value {
        try wait { done in property(name, then: done) }
    }
}
