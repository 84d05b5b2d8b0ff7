import Schedules

/// An instant that is still to come, as a person writes it on a command line: whatever a `once` schedule takes
/// (`2026-12-25T09:00`, `in 2 hours`, `tomorrow 09:00`), and in short a time of day, which is the next one, or
/// `tomorrow`, which is its midnight.
struct Moment {
    let instant: Instant
    /// Whether it was written as date and time, and so reads as what it is.
    let isAbsolute: Bool

    init(_ text: String, now: Instant, zone: TimeZoneRules) throws(ScheduleError) {
        func read(_ text: String) throws(ScheduleError) -> Instant? {
            try Schedule.once(text, registeredAt: now, zone: zone, allowPast: true).onceInstant
        }
        var instant: Instant?
        if text.lowercased() == "tomorrow" {
            instant = try read("tomorrow 00:00")
        } else if let today = try? read("today " + text) {
            instant = today > now ? today : try read("tomorrow " + text)
        } else {
            instant = try read(text)
        }
        guard let instant, instant > now else {
            throw ScheduleError(
                code: .inPast, field: "datetime", value: text, position: 0,
                sentence: "expected an instant that is still to come")
        }
        self.instant = instant
        isAbsolute = (try? Instant.absolute(text, zone: zone)) != nil
    }
}

extension Context {
    /// An absolute instant; without an offset in the zone that times are shown in.
    func instant(
        _ text: String, of option: String, _ request: Request, in zone: TimeZoneRules? = nil
    ) throws(Failure) -> Instant {
        do {
            return try Instant.absolute(text, zone: zone ?? self.zone)
        } catch {
            throw refused(option, text, error, request)
        }
    }

    func moment(
        _ text: String, of option: String, _ request: Request, in zone: TimeZoneRules? = nil
    ) throws(Failure) -> Moment {
        do {
            return try Moment(text, now: now, zone: zone ?? self.zone)
        } catch {
            throw refused(option, text, error, request)
        }
    }

    private func refused(_ option: String, _ text: String, _ error: ScheduleError, _ request: Request) -> Failure {
        var failure = request.usage("\(option): \(error.sentence)")
        failure.refusal = Refusal(error, expression: text)
        return failure
    }
}
