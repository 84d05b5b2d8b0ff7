internal import DBus
internal import JSON

/// Handlers: what the daemon is and how it does.
extension JSONFace {
    func getStatus(_ call: MethodCall) throws { call.answer(.object(try report.status())) }

    func getStats(_ call: MethodCall) throws { call.answer(.object(try report.stats())) }

    func getMetrics(_ call: MethodCall) throws { try metrics.answer(call) }

    func healthCheck(_ call: MethodCall) throws { call.answer(.object(health.shape())) }

    func shutDown(_ call: MethodCall) throws {
        call.answer(["success": true, "message": "stopping"])
        service.stop(because: "Shutdown was called")
    }
}
