internal import JSON
internal import Performing
internal import Scheduling

/// Jobs as JSON text, kept job by job: of ten thousand a few have changed since somebody last asked.
struct JobTexts {
    /// Texts that are kept, of some 700 bytes each; those of more jobs are made each time.
    static let keptMax = 20_000

    private let scheduler: any SchedulerReading
    private var texts: [String: String] = [:]

    init(scheduler: any SchedulerReading) { self.scheduler = scheduler }

    /// These jobs are no longer what they were, or no longer there.
    mutating func forget(_ jobs: some Sequence<String>) {
        if !texts.isEmpty { for job in jobs { texts[job] = nil } }
    }

    mutating func forgetAll() { texts = [:] }

    /// Nil for a job that has gone.
    mutating func text(of row: JobWalk.Row) -> String? {
        switch row {
        case .refused(let job): return JSONValue.object(JobShape.json(job)).compactText
        case .job(let name):
            if let text = texts[name] { return text }
            guard let view = scheduler.job(named: name) else { return nil }
            let text = JSONValue.object(JobShape.json(view, of: scheduler)).compactText
            if texts.count < Self.keptMax { texts[name] = text }
            return text
        }
    }
}
