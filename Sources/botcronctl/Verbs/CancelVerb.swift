import Client
import Contract
import JSON

/// `cancel`: the end of a run, or of all runs of a job.
extension Verb {
    static let cancel = Verb(
        "cancel", "RUN|JOB", 1...1, "end a run, or all runs of a job: TERM, then KILL, to the whole process tree",
        details: "Of a job every run that has not ended is told to end, those that wait for their turn too.",
        takes: [.jobOrRun], run: cancelRun)
}

private func cancelRun(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let name = request.arguments[0]
    let daemon = try context.daemon()
    let refusal: Failure
    do {
        try daemon.call(.cancelRun, [.text(name)])
        if context.screen.isJSON {
            context.screen.json(["success": true, "execution_id": .string(name)])
        } else {
            context.screen.line("\(name) is told to end")
        }
        return ExitCode.success
    } catch  where error.name == ServiceError.runNotFound.name {
        refusal = error
    }
    guard try isJob(name, daemon) else { throw refusal }
    return try cancelRuns(of: name, daemon, context)
}

private func isJob(_ name: String, _ daemon: Daemon) throws(Failure) -> Bool {
    do {
        try daemon.call(.getJob, [.text(name)])
        return true
    } catch  where error.name == ServiceError.jobNotFound.name {
        return false
    }
}

/// Newest first: a run that waits would get the turn of the one that it waits for.
private func cancelRuns(of job: String, _ daemon: Daemon, _ context: Context) throws(Failure) -> Int32 {
    let filter: JSONValue = [
        "job": .string(job), "status": ["queued", "running", "retrying"],
        "limit": .number(InterfaceLimits.historyRuns),
    ]
    var told: [String] = []
    for run in try daemon.json(.queryHistory, [.text(filter.compactText)])["runs"]?.arrayValue ?? [] {
        let id = run.text("execution_id")
        do {
            try daemon.call(.cancelRun, [.text(id)])
        } catch  where error.name == ServiceError.runNotFound.name {
            // It has ended since, which is all that was wanted.
            continue
        }
        told.append(id)
        if !context.screen.isJSON { context.screen.line("\(id) is told to end") }
    }
    guard !told.isEmpty else {
        throw Failure(
            ExitCode.notFound, ServiceError.runNotFound.name, "no run of the job \"\(job)\" is active",
            advice: ["see what ran: botcronctl history \(job)"])
    }
    if context.screen.isJSON {
        context.screen.json([
            "success": true, "job": .string(job), "execution_ids": .array(told.map { .string($0) }),
        ])
    }
    return ExitCode.success
}
