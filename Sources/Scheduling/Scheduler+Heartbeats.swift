import Schedules

/// The heartbeats of jobs: what somebody elsewhere hears of each start and end, to miss it where it does not come.
///
/// Each is a message, on disk with what it tells of, and sent again like the others. But a state is told, not news: it
/// waits for no quiet hour, is not gathered, and one that is not sent yet gives way to the next one of its job. So no
/// failure is told after the success that followed it.
extension Scheduler {
    func beat(_ occasion: Message.Occasion, of active: ActiveRun, now: Instant) {
        guard active.job.heartbeat != nil else { return }
        let wording: Wording =
            occasion == .start ? .start(of: active.run, active.job) : .end(of: active.run, active.job, occasion)
        post(
            Message(
                id: random.nextMessageID(), job: active.run.job, run: active.run.id, occasion: occasion,
                target: Message.heartbeatTarget, title: wording.title, text: wording.text, createdAt: now), now: now)
    }

    /// Whoever ended it on purpose knows of it.
    func beatEnd(of active: ActiveRun, now: Instant) {
        let status = active.run.status
        if status == .success {
            beat(.success, of: active, now: now)
        } else if status.isFailure, status != .cancelled {
            beat(.failure, of: active, now: now)
        }
    }

    func supersede(by active: ActiveMessage) {
        let job = active.message.job
        if let last = post.heartbeats[job] { settle(last, .failed, "a later one of its job has taken its place") }
        post.heartbeats[job] = active
    }

    func forgetHeartbeat(_ active: ActiveMessage) {
        if post.heartbeats[active.message.job] === active { post.heartbeats[active.message.job] = nil }
    }
}
