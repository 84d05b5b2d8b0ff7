import JSON
import Scheduling

/// The answer of `list_jobs`, kept job by job as text: of ten thousand jobs a few have changed since somebody last asked.
struct JobListText {
    /// Of more jobs nothing is kept: some 700 bytes each.
    private static let keptMax = 20_000

    private var texts: [String: String] = [:]
    /// Of all jobs that can be scheduled, sorted; nil where that may have changed.
    private var names: [String]?
    /// Of the answer before: room for as much is taken at once, which megabytes should not grow into step by step.
    private var bytesBefore = 0

    /// These jobs are no longer what they were, or no longer there.
    mutating func forget(_ jobs: some Sequence<String>, areNamesStale: Bool) {
        if !texts.isEmpty { for job in jobs { texts[job] = nil } }
        if areNamesStale { names = nil }
    }

    mutating func forgetAll() {
        texts = [:]
        names = nil
        bytesBefore = 0
    }

    /// - Parameter refused: stands behind a good one of the same name.
    mutating func text(of scheduler: Scheduler, refused: [RefusedJob]) -> String {
        let names = names ?? scheduler.jobNames
        if names.count <= Self.keptMax { self.names = names } else { texts = [:] }
        var refused = refused.sorted { $0.name < $1.name }[...]
        var list = ""
        list.reserveCapacity(bytesBefore)
        list += "["
        func append(_ text: String) {
            if list.utf8.count > 1 { list += ", " }
            list += text
        }
        for name in names {
            while let first = refused.first, first.name < name {
                append(JSONValue.object(JobShape.json(first)).compactText)
                refused = refused.dropFirst()
            }
            if let text = texts[name] {
                append(text)
                continue
            }
            guard let view = scheduler.job(named: name) else { continue }
            let text = JSONValue.object(JobShape.json(view, of: scheduler)).compactText
            if names.count <= Self.keptMax { texts[name] = text }
            append(text)
        }
        for job in refused { append(JSONValue.object(JobShape.json(job)).compactText) }
        list += "]"
        bytesBefore = list.utf8.count
        return list
    }
}
