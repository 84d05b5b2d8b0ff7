internal import DBus
internal import EventLoop
internal import JSON
internal import Performing
internal import Schedules
internal import Scheduling

/// The answers that go over every job. Of many they are made in steps (`Steps`), and none grows beyond what a body may
/// be: there `query_jobs` has pages.
final class JobLists {
    private let scheduler: any SchedulerReading
    private let catalogue: Catalogue
    private let steps: Steps
    private var texts: JobTexts

    init(scheduler: any SchedulerReading, catalogue: Catalogue, steps: Steps) {
        self.scheduler = scheduler
        self.catalogue = catalogue
        self.steps = steps
        texts = JobTexts(scheduler: scheduler)
    }

    /// These jobs are no longer what they were, or no longer there.
    func forget(_ jobs: some Sequence<String>) { texts.forget(jobs) }
    func forgetAll() { texts.forgetAll() }

    // MARK: - list_jobs

    /// Every job, by name: a JSON array as text.
    func list(_ call: MethodCall) throws(ErrorReply) {
        try checkCount()
        let walk = JobWalk(catalogue.names, catalogue.refused)
        try gather(walk, for: call) {
            call.reply([.string($0)])
        } refuse: {
            call.fail($0)
        }
    }

    private func checkCount() throws(ErrorReply) {
        let count = catalogue.names.count + catalogue.refused.count
        guard count <= Bounds.listedJobs else { throw Self.tooMany("\(count) jobs are more than \(Bounds.listedJobs)") }
    }

    private static func tooMany(_ what: String) -> ErrorReply {
        ErrorReply(.limitsExceeded, "cannot list every job in one answer: \(what); query_jobs has them page by page")
    }

    /// Makes the texts of the jobs of a walk, one after the other: a JSON array as text.
    private func gather(
        _ walk: JobWalk, for call: MethodCall, _ done: @escaping (String) -> Void,
        refuse: @escaping (ErrorReply) -> Void
    ) throws(ErrorReply) {
        var walk = walk
        var list = "["
        try steps.begin { [self] in
            guard !call.isAnswered else { return false }
            for _ in 0..<Steps.jobsPerStep {
                guard let (row, _) = walk.next() else {
                    list += "]"
                    done(list)
                    return false
                }
                guard let text = texts.text(of: row) else { continue }
                if list.utf8.count > 1 { list += ", " }
                list += text
                guard list.utf8.count <= Bounds.listBytes else {
                    refuse(Self.tooMany("they have more than \(Bounds.listBytes) bytes"))
                    return false
                }
            }
            return true
        }
    }

    // MARK: - query_jobs

    /// One page: JSON `{jobs, next_cursor}` as text.
    func query(_ call: MethodCall, _ query: JobQuery) throws(ErrorReply) {
        var walk = self.walk(query)
        var (list, count) = ("", 0)
        var last: JobWalk.Place?
        try steps.begin { [self] in
            guard !call.isAnswered else { return false }
            for _ in 0..<Steps.jobsPerStep {
                guard let (row, place) = walk.next() else {
                    call.reply([.string(Self.page(list, nil))])
                    return false
                }
                guard matches(row, query), let text = texts.text(of: row) else { continue }
                // What is beyond the page says that another follows.
                let isFull = count == query.limit || list.utf8.count + text.utf8.count > Bounds.pageBytes
                if isFull, let last {
                    call.reply([.string(Self.page(list, last))])
                    return false
                }
                if !list.isEmpty { list += ", " }
                list += text
                count += 1
                last = place
            }
            return true
        }
    }

    private static func page(_ list: String, _ last: JobWalk.Place?) -> String {
        "{\"jobs\": [\(list)], \"next_cursor\": \(JSONValue.optional(last?.cursor).compactText)}"
    }

    private func walk(_ query: JobQuery) -> JobWalk {
        guard let wanted = query.names else {
            return JobWalk(catalogue.names, catalogue.refused, behind: query.place)
        }
        let names = Set(wanted)
        let refused = catalogue.refused.filter { names.contains($0.name) }
        return JobWalk(wanted, refused, behind: query.place)
    }

    private func matches(_ row: JobWalk.Row, _ query: JobQuery) -> Bool {
        switch row {
        case .job(let name): scheduler.job(named: name).map { query.matches($0) } ?? false
        case .refused(let job): query.matches(job)
        }
    }

    // MARK: - The older clients' list

    /// What the older clients filter by.
    struct OlderFilter {
        var owner: String?
        var tag: String?
        var isEnabled: Bool?
        /// 0 for all.
        var limit = 0
    }

    /// Jobs by their next fire time, those without one last, by name: how many, and a JSON array as text.
    func listByNextRun(
        _ call: MethodCall, _ filter: OlderFilter, _ done: @escaping (Int, String) -> Void,
        refuse: @escaping (ErrorReply) -> Void
    ) throws(ErrorReply) {
        try checkCount()
        var walk = JobWalk(catalogue.names, catalogue.refused)
        var found: [(next: Instant?, place: JobWalk.Place, row: JobWalk.Row)] = []
        var order: [JobWalk.Row]?
        var list = "["
        var next = 0
        try steps.begin { [self] in
            guard !call.isAnswered else { return false }
            for _ in 0..<Steps.jobsPerStep {
                if let order {
                    guard next < order.count else {
                        list += "]"
                        done(order.count, list)
                        return false
                    }
                    next += 1
                    guard let text = texts.text(of: order[next - 1]) else { continue }
                    if list.utf8.count > 1 { list += ", " }
                    list += text
                    guard list.utf8.count <= Bounds.listBytes else {
                        refuse(Self.tooMany("they have more than \(Bounds.listBytes) bytes"))
                        return false
                    }
                    continue
                }
                guard let (row, place) = walk.next() else {
                    found.sort { a, b in
                        a.next == b.next
                            ? (a.place.name, a.place.copy) < (b.place.name, b.place.copy)
                            : a.next.map { first in b.next.map { first < $0 } ?? true } ?? false
                    }
                    order = (filter.limit > 0 ? found.prefix(filter.limit) : found[...]).map(\.row)
                    continue
                }
                switch row {
                case .job(let name):
                    guard let view = scheduler.job(named: name), filter.matches(view) else { continue }
                    found.append((view.nextRun, place, row))
                case .refused(let job):
                    guard filter.matches(job) else { continue }
                    found.append((nil, place, row))
                }
            }
            return true
        }
    }
}

extension JobLists.OlderFilter {
    fileprivate func matches(_ view: Scheduler.JobView) -> Bool {
        owner.map { $0 == view.job.owner } ?? true && tag.map { view.job.tags.contains($0) } ?? true
            && isEnabled.map { $0 == view.isEnabled } ?? true
    }

    fileprivate func matches(_ refused: RefusedJob) -> Bool {
        guard owner != nil || tag != nil || isEnabled != nil else { return true }
        let definition = JobShape.parsed(refused.definition)
        return owner.map { $0 == definition["owner"]?.stringValue ?? "" } ?? true
            && tag.map { definition["tags"]?.arrayValue?.compactMap(\.stringValue).contains($0) ?? false } ?? true
            && isEnabled.map { $0 == JobShape.isEnabled(refused) } ?? true
    }
}
