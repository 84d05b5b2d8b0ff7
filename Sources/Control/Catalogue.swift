internal import Configuration
internal import DBus
internal import Performing
internal import Scheduling

/// The jobs as clients name them: those that the core schedules, and the definitions that were refused.
///
/// Both are kept sorted by name. Of a hundred thousand names, sorting is what no answer can wait for: a job that comes
/// or goes is put in its place, and only what nobody announced sorts them anew.
final class Catalogue {
    private let scheduler: any SchedulerReading
    private let settings: any SettingsControl
    private var sortedNames: [String] = []
    /// Whether `sortedNames` has to be made anew.
    private var isStale = true
    /// The refused definitions as Settings had them, and sorted by name, those of one name in the order of Settings.
    private var refusedAsGiven: [RefusedJob] = []
    private var sortedRefused: [RefusedJob] = []
    /// Nil until it is asked for again.
    private var knownRefusedCount: Int?

    init(scheduler: any SchedulerReading, settings: any SettingsControl) {
        self.scheduler = scheduler
        self.settings = settings
    }

    // MARK: - One job

    /// A job that is scheduled, or one that was refused and whose name no good one has.
    func listed(_ name: String) -> ListedJob? {
        if let view = scheduler.job(named: name) { return .job(view) }
        return refusedJob(name).map { .refused($0) }
    }

    /// A definition that cannot be scheduled, where no good one has its name.
    func refusedJob(_ name: String) -> RefusedJob? {
        guard scheduler.definition(of: name) == nil else { return nil }
        let refused = refused
        let place = refused.firstPlace { $0.name >= name }
        return place < refused.count && refused[place].name == name ? refused[place] : nil
    }

    /// - Throws: `JobNotFound` with the nearest name, `InvalidJob` for one that was refused.
    func view(_ name: String) throws(ErrorReply) -> Scheduler.JobView {
        switch listed(name) {
        case .job(let view): return view
        case .refused(let refused): throw .jobRefused(refused)
        case nil: throw .jobNotFound(name, among: namesNear(name))
        }
    }

    // MARK: - All of them

    /// Of all jobs that are scheduled, sorted.
    var names: [String] {
        if isStale || sortedNames.count != scheduler.jobCount {
            sortedNames = scheduler.jobNames
            isStale = false
        }
        return sortedNames
    }

    /// Of all definitions that cannot be scheduled, sorted by name.
    var refused: [RefusedJob] {
        let now = settings.configuration.refused
        if !now.isSame(as: refusedAsGiven) {
            refusedAsGiven = now
            knownRefusedCount = nil
            sortedRefused = now.enumerated().sorted { ($0.element.name, $0.offset) < ($1.element.name, $1.offset) }
                .map(\.element)
        }
        return sortedRefused
    }

    /// How many names stand for a definition that cannot be scheduled, and for no good one.
    var refusedCount: Int {
        let refused = refused
        if let knownRefusedCount { return knownRefusedCount }
        var count = 0
        for (place, job) in refused.enumerated() where place == 0 || refused[place - 1].name != job.name {
            if scheduler.definition(of: job.name) == nil { count += 1 }
        }
        knownRefusedCount = count
        return count
    }

    /// Every name, once, sorted.
    var allNames: [String] {
        let refused = refused
        guard !refused.isEmpty else { return names }
        var all: [String] = []
        var rest = refused[...]
        func take(_ name: String) { if all.last != name { all.append(name) } }
        for name in names {
            while let first = rest.first, first.name < name {
                take(first.name)
                rest = rest.dropFirst()
            }
            take(name)
        }
        for job in rest { take(job.name) }
        return all
    }

    /// Names among which somebody may have meant one.
    func namesNear(_ name: String) -> [String] {
        func around(_ names: [String]) -> ArraySlice<String> {
            guard names.count > Bounds.comparedNames else { return names[...] }
            let place = names.firstPlace { $0 >= name }
            let start = min(max(0, place - Bounds.comparedNames / 2), names.count - Bounds.comparedNames)
            return names[start..<start + Bounds.comparedNames]
        }
        return Array(around(names)) + around(refused.map(\.name))
    }

    // MARK: - Changes

    /// Jobs came and went.
    func changed(added: [String], removed: [String]) {
        knownRefusedCount = nil
        guard !isStale else { return }
        // So many that going once over all is cheaper than putting each in its place.
        guard added.count + removed.count <= 16 else { return merge(added, removed) }
        for name in removed where scheduler.definition(of: name) == nil {
            let place = sortedNames.firstPlace { $0 >= name }
            if place < sortedNames.count, sortedNames[place] == name { sortedNames.remove(at: place) }
        }
        for name in added where scheduler.definition(of: name) != nil {
            let place = sortedNames.firstPlace { $0 >= name }
            if place == sortedNames.count || sortedNames[place] != name { sortedNames.insert(name, at: place) }
        }
    }

    private func merge(_ added: [String], _ removed: [String]) {
        let gone = Set(removed.filter { scheduler.definition(of: $0) == nil })
        var new = added.filter { scheduler.definition(of: $0) != nil }.sorted()[...]
        var merged: [String] = []
        merged.reserveCapacity(sortedNames.count + new.count)
        func take(_ name: String) { if merged.last != name { merged.append(name) } }
        for name in sortedNames where !gone.contains(name) {
            while let first = new.first, first < name { take(new.removeFirst()) }
            take(name)
        }
        for name in new { take(name) }
        sortedNames = merged
    }

    func everythingChanged() {
        isStale = true
        knownRefusedCount = nil
    }
}

/// What stands in the configuration or was made over the bus.
enum ListedJob {
    case job(Scheduler.JobView)
    case refused(RefusedJob)
}

extension Array {
    /// The first place whose element fulfils `isBeyond`, of an array in which all that follow do so too; else its
    /// count.
    func firstPlace(_ isBeyond: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = low + (high - low) / 2
            if isBeyond(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// Whether both are one buffer: then nothing has changed, for whoever kept the other one. A quick answer; false
    /// says nothing.
    fileprivate func isSame(as other: [Element]) -> Bool {
        guard count == other.count else { return false }
        return withUnsafeBufferPointer { mine in
            other.withUnsafeBufferPointer { mine.baseAddress == $0.baseAddress }
        }
    }
}
