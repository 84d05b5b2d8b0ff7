internal import CSystemd
internal import Glibc

/// Something that a loop waits for. It lives as long as this object, or until `cancel()`.
///
/// The loop knows a source only by an unretained pointer: dropping the object removes the C source with it, so that
/// pointer never outlives its object.
public class EventSource {
    private(set) var raw: OpaquePointer?
    let loop: EventLoop

    init(loop: EventLoop) {
        loop.assertOnThread()
        self.loop = loop
    }

    deinit {
        if let raw {
            sd_event_source_disable_unref(raw)
        }
    }

    /// Stops the source for good; its handler never runs again. Again and again is fine.
    public func cancel() {
        loop.assertOnThread()
        if let raw {
            sd_event_source_disable_unref(raw)
        }
        raw = nil
    }

    public var isCancelled: Bool { raw == nil }

    // MARK: - For the kinds of sources

    var userData: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    /// Takes over the source that `sd_event_add_…` made, or throws what it answered.
    func adopt(
        _ source: OpaquePointer?, result: Int32, _ operation: String, object: String, advice: String
    ) throws(EventLoopError) {
        guard result >= 0, let source else {
            throw EventLoopError(operation, object: object, code: result, advice: advice)
        }
        raw = source
    }

    /// `state` is `SD_EVENT_OFF`, `SD_EVENT_ON` or `SD_EVENT_ONESHOT`.
    func setEnabled(_ state: Int) {
        loop.assertOnThread()
        guard let raw else { return }
        verify(sd_event_source_set_enabled(raw, Int32(state)))
    }

    /// A loop that has ended refuses changes of its sources, which is fine: they will not be called any more. Nothing
    /// else can go wrong with a live source but a bug of ours, such as an fd closed before its source.
    func verify(_ result: Int32) {
        precondition(result >= 0 || result == -ESTALE, "sd_event refused to change a live source: \(result)")
    }

    /// The object behind the pointer that `userData` gave; alive, because dropping it would have removed the source.
    static func from(_ userData: UnsafeMutableRawPointer?) -> Self? {
        guard let userData else { return nil }
        return Unmanaged<Self>.fromOpaque(userData).takeUnretainedValue()
    }
}
