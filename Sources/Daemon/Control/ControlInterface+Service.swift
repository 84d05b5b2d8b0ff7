import DBus
import JSON
import Store

/// Handlers: what the daemon is and how it does.
extension ControlInterface {
    func getStatus(_ call: MethodCall) throws { answer(call, try daemon.statusShape()) }

    func getStats(_ call: MethodCall) throws { answer(call, try daemon.stats()) }

    func getMetrics(_ call: MethodCall) throws { call.reply([.string(try daemon.metrics())]) }

    func healthCheck(_ call: MethodCall) throws { answer(call, daemon.health()) }

    func shutDown(_ call: MethodCall) throws {
        answer(call, ["success": true, "message": "stopping"])
        daemon.stop(because: "Shutdown was called")
    }
}
