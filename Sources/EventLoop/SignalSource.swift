internal import CSystemd
internal import Glibc

/// A signal as an event. It stays blocked in this thread after the source is gone.
public final class SignalSource: EventSource {
    private let handler: () -> Void

    init(loop: EventLoop, signal: Int32, handler: @escaping () -> Void) throws(EventLoopError) {
        self.handler = handler
        super.init(loop: loop)
        let advice = "a signal that can be caught and that no other source of this loop takes"
        var set = sigset_t()
        sigemptyset(&set)
        guard sigaddset(&set, signal) == 0 else {
            throw EventLoopError("take a signal", object: "signal \(signal)", code: EINVAL, advice: advice)
        }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        var source: OpaquePointer?
        let result = sd_event_add_signal(
            loop.raw, &source, signal,
            { _, _, userData in
                SignalSource.from(userData)?.dispatch()
                return 0
            }, userData)
        try adopt(source, result: result, "take a signal", object: "signal \(signal)", advice: advice)
    }

    private func dispatch() {
        let handler = handler
        handler()
    }
}

extension EventLoop {
    /// Calls `handler` for each arrival of `signal` (several at once may be one). Blocks the signal in this thread
    /// first: do it before other threads start, or they take it. Children inherit the mask: give them an empty one.
    public func signal(
        _ signal: Int32, _ handler: @escaping () -> Void
    ) throws(EventLoopError) -> SignalSource {
        try SignalSource(loop: self, signal: signal, handler: handler)
    }
}
