internal import DBus
internal import JSON
internal import Scheduling

/// Handlers: what the daemon is and how it does.
extension JSONFace {
    func getStatus(_ call: MethodCall) throws { call.answer(.object(try report.status())) }

    func getStats(_ call: MethodCall) throws { call.answer(.object(try report.stats())) }

    func getMetrics(_ call: MethodCall) throws { try metrics.answer(call) }

    func healthCheck(_ call: MethodCall) throws { call.answer(.object(health.shape())) }

    func testTarget(_ call: MethodCall) throws {
        let target = call.text(0)
        service.probe(target) { outcome in
            var answer: JSONObject = ["target": .string(target)]
            switch outcome {
            case .sent: answer["sent"] = true
            case .failed(let why), .refused(let why):
                answer["sent"] = false
                answer["error"] = .string(why)
            }
            call.answer(.object(answer))
        }
    }

    func shutDown(_ call: MethodCall) throws {
        call.answer(["success": true, "message": "stopping"])
        service.stop(because: "Shutdown was called")
    }
}
