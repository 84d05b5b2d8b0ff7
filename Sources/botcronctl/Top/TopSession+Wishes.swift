import Client
import Contract
import JSON

/// What the keys ask for, done over the bus.
extension TopSession {
    func perform(_ wish: TopWish) {
        lastWish += 1
        if let line = wish.commandLine { model.said = TopModel.Said(line: line, outcome: .awaited) }
        switch wish {
        case .quit: finish(ExitCode.success)
        case .suspend: suspend()
        case .repaint: repaint()
        case .run(let job):
            call(.runJob, [.text(job)], about: job) { run in
                let id = run.text("execution_id")
                return run.text("status") == "queued" ? "\(id) waits for its turn" : "\(id) is started"
            }
        case .setEnabled(let job, let isEnabled):
            call(.toggleJob, [.text(job), .flag(isEnabled)], about: job) { _ in
                isEnabled ? "it is enabled" : "it is disabled"
            }
        case .skip(let job): skip(job)
        case .cancel(let run):
            call(.cancelRun, [.text(run)], about: nil) { _ in "it is told to end" }
        case .why(let job): explain(job)
        case .openLog(let job, let run): openLog(job, run)
        case .closeLog: closeLog()
        case .edit(let job): edit(job)
        }
    }

    /// Calls, and says what came of it, unless something newer was asked for.
    private func call(
        _ method: MethodName, _ arguments: [Argument], about job: String?, then words: @escaping (JSONValue) -> String?
    ) {
        let wish = lastWish
        client?.call(method, arguments, starting: .never) { [weak self] result in
            guard let self else { return }
            let outcome: TopModel.Said.Outcome?
            switch result {
            case .success(let answer):
                // A plain yes has no JSON.
                outcome = words((try? answer.json()) ?? .null).map { .done($0) }
            case .failure(let error): outcome = .failed(Failure(error).message)
            }
            if let job { reader?.stale([job]) }
            if wish == lastWish, let outcome { model.said?.outcome = outcome }
            redraw()
        }
    }

    private func skip(_ job: String) {
        let wish = lastWish
        call(.skipJob, [.text(job)], about: job) { [weak self] answer in
            guard let self else { return nil }
            guard let skipped = answer.instant("skipped") else {
                if wish == lastWish {
                    model.said?.outcome = .failed("it has no next fire time: there is nothing to skip")
                }
                return nil
            }
            let next = answer.instant("next_run").map { context.times.absoluteAndRelative($0) } ?? "none"
            return "not at \(context.times.absoluteAndRelative(skipped)); next: \(next)"
        }
    }

    private func explain(_ job: String) {
        call(.explainJob, [.text(job), .text("")], about: nil) { [weak self] answer in
            let sentences = (answer["reasons"]?.arrayValue ?? []).map { $0.text("sentence") }
            // Only over the list: who has opened something else since does not want it any more.
            if let self, case .list = model.page { model.page = .why(job: job, sentences: sentences, first: 0) }
            return ""
        }
    }

    func openLog(_ job: String, _ run: String?) {
        guard let client else { return }
        model.page = .log(LogView(job: job, run: run, size: model.logSize))
        model.said?.outcome = .done("")
        setMouse(false)
        do {
            logReader = try TopLogReader(client, job: job, run: run) { [weak self] change in
                self?.model.changeLog(change)
                self?.redraw()
            }
        } catch {
            model.changeLog { $0.remark = "\(error)" }
        }
    }

    private func closeLog() {
        logReader?.close()
        logReader = nil
        setMouse(true)
    }
}
