/// Fire times that are not run: a calendar event in the notation of systemd.time(7).
///
/// Without a time of day (`2026-12-25`, `Sat,Sun`, `*-08-*`) it covers the whole local days that match; with one the
/// seconds that it names. A fire time in it stays a fire time: it is recorded and not run.
public struct Exclusion: Sendable, Equatable {
    /// As written.
    public let text: String
    fileprivate let timetable: Timetable
    fileprivate let pattern: CivilPattern
    fileprivate let hasTime: Bool

    /// - Parameters:
    ///   - zone: the job's, which counts where the event carries none.
    ///   - zones: the rules of an installed zone by its name.
    public init(
        _ text: String, zone: TimeZoneRules, zones: (String) -> TimeZoneRules?
    ) throws(ScheduleError) {
        let (schedule, hasTime) = try Schedule.calendarEvent(text, zones: zones)
        guard case .civil(let pattern) = schedule.rule else {
            preconditionFailure("a calendar event that is no civil pattern: \(text)")
        }
        self.text = text
        self.hasTime = hasTime
        self.pattern = pattern
        timetable = try Timetable(schedule: schedule, zone: zone, anchor: .epoch)
    }

    public func contains(_ fire: Instant) -> Bool {
        if hasTime { return timetable.contains(fire) }
        // Without a time the pattern matches the first second of each day that it covers.
        let wall = timetable.zone.localDateTime(at: fire).wallSeconds
        return pattern.matches(WallClock.dayNumber(ofWall: wall) * WallClock.secondsPerDay)
    }
}

/// All exclusions of a job, compiled: what names single days or instants is looked up, however many there are; what
/// repeats without end is asked one by one.
public struct ExclusionSet: Sendable, Equatable {
    /// Whole days in the zone of the events, which is that of the job unless they carry their own.
    private struct Days: Sendable, Equatable {
        let zone: TimeZoneRules
        /// By their numbers.
        var single: Set<Int64> = []
        var patterns: [CivilPattern] = []

        func contains(_ day: Int64) -> Bool {
            single.contains(day) || patterns.contains { $0.matches(day * WallClock.secondsPerDay) }
        }
    }

    private var days: [Days] = []
    private var instants: Set<Instant> = []
    private var timetables: [Timetable] = []

    /// An event that names so many days at most counts as a list of days: a whole month.
    private static let listedDaysMax = 31

    public init(_ exclusions: [Exclusion] = []) {
        for exclusion in exclusions { insert(exclusion) }
    }

    public var isEmpty: Bool { days.isEmpty && instants.isEmpty && timetables.isEmpty }

    /// Events that repeat without end: what one look costs grows with them.
    public var repeatingCount: Int { days.reduce(timetables.count) { $0 + $1.patterns.count } }

    private mutating func insert(_ exclusion: Exclusion) {
        guard exclusion.hasTime else { return insert(exclusion.pattern, exclusion.timetable.zone) }
        let timetable = exclusion.timetable
        guard let first = timetable.next(after: .epoch - .seconds(1)) else { return }
        if timetable.next(after: first) == nil {
            instants.insert(first)
        } else if !timetables.contains(timetable) {
            timetables.append(timetable)
        }
    }

    private mutating func insert(_ pattern: CivilPattern, _ zone: TimeZoneRules) {
        let place = days.firstIndex { $0.zone == zone } ?? days.endIndex
        if place == days.endIndex { days.append(Days(zone: zone)) }
        var listed: [Int64] = []
        var wall = pattern.next(atOrAfter: 0)
        while wall != WallClock.never, listed.count <= Self.listedDaysMax {
            let day = WallClock.dayNumber(ofWall: wall)
            listed.append(day)
            wall = pattern.next(atOrAfter: (day + 1) * WallClock.secondsPerDay)
        }
        if listed.count <= Self.listedDaysMax {
            days[place].single.formUnion(listed)
        } else if !days[place].patterns.contains(pattern) {
            days[place].patterns.append(pattern)
        }
    }

    public func contains(_ fire: Instant) -> Bool {
        instants.contains(fire) || endOfDay(around: fire) != nil || timetables.contains { $0.contains(fire) }
    }

    /// Where the whole day around an instant is excluded, the first instant after that day.
    public func endOfDay(around fire: Instant) -> Instant? {
        for entry in days {
            let wall = entry.zone.localDateTime(at: fire).wallSeconds
            let day = WallClock.dayNumber(ofWall: wall)
            guard entry.contains(day) else { continue }
            // Where the next midnight is shown before this instant (a clock set back over it), no leap is made.
            let end = Instant(seconds: entry.zone.second(ofWall: (day + 1) * WallClock.secondsPerDay))
            return max(end, fire + .microseconds(1))
        }
        return nil
    }
}
