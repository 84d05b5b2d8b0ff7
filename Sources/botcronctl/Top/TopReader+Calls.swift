import Client
import Contract
import EventLoop
import JSON

/// What is asked of the daemon.
extension TopReader {
    func read() {
        isArmed = false
        guard isHere else { return }
        let wanted = waiting
        waiting = Waiting()
        if wanted.all || wanted.status { readStatus() }
        if wanted.all || wanted.names.count > InterfaceLimits.jobsOfPage {
            readAllJobs([], cursor: nil)
        } else if !wanted.names.isEmpty {
            readJobs(wanted.names)
        }
        strips.addAnew(wanted.strips)
        ask()
    }

    /// Calls, and hands over the answer of the daemon that is still there.
    private func call(
        _ method: MethodName, _ arguments: [Argument] = [], then: @escaping (Result<JSONValue, ClientError>) -> Void
    ) {
        let asked = generation
        client.call(method, arguments, starting: .never) { [weak self] result in
            guard let self, asked == generation else { return }
            then(Result { () throws(ClientError) in try result.get().json() })
        }
    }

    private func failed(_ error: ClientError) {
        // That it has left is told by the bus.
        guard !error.isAbsence else { return }
        let now = context.now
        let sentence = MethodWords.plain(error.sentence)
        learn { facts in
            if case .broken(sentence, _) = facts.link { return }
            facts.link = .broken(sentence, since: now)
        }
        waiting.all = true
        arm(Self.againUSec)
    }

    private func readStatus() {
        statusAtUSec = client.loop.now(.monotonic)
        call(.getStatus) { [weak self] result in
            switch result {
            case .success(let status):
                self?.learn { facts in
                    facts.status = status.text("status")
                    facts.areSchedulesInForce = status["enabled"]?.boolValue ?? true
                    facts.version = status.text("version")
                }
                self?.takeRefused(status["refused_jobs"]?.arrayValue ?? [])
            case .failure(let error): self?.failed(error)
            }
        }
        call(.healthCheck) { [weak self] result in
            guard case .success(let health) = result else { return }
            self?.learn { facts in
                facts.configurationFault = health.text("configuration_error")
                facts.storeFault = health.text("store_error")
            }
        }
    }

    /// A job that is refused after a reload, or for another reason than before, is in no signal.
    private func takeRefused(_ jobs: [JSONValue]) {
        let found = Dictionary(jobs.map { ($0.text("name"), $0.text("error")) }) { _, last in last }
        let before = refused ?? found
        refused = found
        stale(Set(before.keys).union(found.keys).filter { before[$0] != found[$0] }.sorted())
    }

    private func readAllJobs(_ before: [JobFacts], cursor: JSONValue?) {
        var filter: JSONObject = ["limit": .number(InterfaceLimits.jobsOfPage)]
        filter["cursor"] = cursor
        call(.queryJobs, [.text(JSONValue.object(filter).compactText)]) { [weak self] result in
            switch result {
            case .success(let page):
                let jobs = before + (page["jobs"]?.arrayValue ?? []).compactMap { JobFacts($0) }
                if let next = page["next_cursor"], !next.isNull, next != cursor {
                    self?.readAllJobs(jobs, cursor: next)
                } else {
                    self?.learnAll(jobs)
                }
            case .failure(let error): self?.failed(error)
            }
        }
    }

    private func learnAll(_ jobs: [JobFacts]) {
        learn { facts in
            facts.link = .live
            facts.replaceJobs(jobs)
        }
        strips.addAnew(strips.known.intersection(jobs.map(\.name)))
        runs.forget()
        runs.add(jobs.flatMap(\.running))
        explainPauses(jobs)
        ask()
    }

    private func readJobs(_ names: Set<String>) {
        let filter: JSONValue = [
            "names": .array(names.sorted().map { .string($0) }), "limit": .number(InterfaceLimits.jobsOfPage),
        ]
        call(.queryJobs, [.text(filter.compactText)]) { [weak self] result in
            switch result {
            case .success(let page):
                let jobs = (page["jobs"]?.arrayValue ?? []).compactMap { JobFacts($0) }
                self?.learn { $0.update(jobs, of: names) }
                self?.runs.add(jobs.flatMap(\.running))
                self?.explainPauses(jobs)
                self?.ask()
            case .failure(let error): self?.failed(error)
            }
        }
    }

    // MARK: - One by one

    /// A job that is out of force may have failed too often; its shape does not say which it is.
    private func explainPauses(_ jobs: [JobFacts]) {
        let names = jobs.map(\.name)
        let asked = jobs.filter { !$0.isEnabled && $0.isFailed && $0.error.isEmpty }.prefix(Self.pausesMax).map(\.name)
        learn { facts in
            for name in names where !asked.contains(name) { facts.pausedByFailures[name] = nil }
        }
        for name in asked {
            call(.explainJob, [.text(name), .text("")]) { [weak self] result in
                guard case .success(let answer) = result else { return }
                let reason = answer["reasons"]?.arrayValue?.first { $0.text("code") == "paused_after_failures" }
                self?.learn { $0.pausedByFailures[name] = reason?.text("sentence") }
            }
        }
    }

    func ask() {
        while calls < Self.callsMax {
            if !runs.queue.isEmpty {
                askRun(runs.queue.removeFirst())
            } else if !strips.queue.isEmpty {
                askStrip(strips.queue.removeFirst())
            } else {
                return
            }
        }
    }

    private func askRun(_ id: String) {
        calls += 1
        call(.getRun, [.text(id)]) { [weak self] result in
            guard let self else { return }
            calls -= 1
            if case .success(let answer) = result, let run = RunFacts(answer, runText) {
                learn { facts in facts.runs[run.id] = facts.jobs[run.job]?.running.contains(run.id) == true ? run : nil
                }
            }
            ask()
        }
    }

    private func askStrip(_ name: String) {
        calls += 1
        let filter: JSONValue = ["job": .string(name), "limit": .number(RunStrip.count)]
        call(.queryHistory, [.text(filter.compactText)]) { [weak self] result in
            guard let self else { return }
            calls -= 1
            if case .success(let answer) = result {
                let found = (answer["runs"]?.arrayValue ?? []).compactMap { RunFacts($0, self.runText) }
                learn { $0.strips[name] = found }
            }
            ask()
        }
    }
}
