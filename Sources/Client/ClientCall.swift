internal import DBus

/// A call that may still be answered. It goes on when this object is dropped; `cancel()` forgets it.
public final class ClientCall {
    var remote: PendingCall?
    private(set) var isCancelled = false

    /// The handler is not called any more. The daemon does what it was asked all the same.
    public func cancel() {
        isCancelled = true
        remote?.cancel()
        remote = nil
    }
}

/// What somebody wants to hear of. It ends with this object, or by `cancel()`.
public final class ClientSubscription {
    private var onCancel: (() -> Void)?

    init(onCancel: @escaping () -> Void) { self.onCancel = onCancel }

    deinit { cancel() }

    public func cancel() {
        let handler = onCancel
        onCancel = nil
        handler?()
    }
}
