// What every target holds to be true of whatever it is given.

import Schedules

func fuzzText(_ data: UnsafePointer<UInt8>?, _ size: Int) -> String {
    String(decoding: UnsafeBufferPointer(start: data, count: size), as: UTF8.self)
}

/// A zone with a rule in its footer, made here so that the targets need no file.
let fuzzZone: TimeZoneRules = {
    var bytes: [UInt8] = []
    for version in 0..<2 {
        bytes += Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15)
        for count in [0, 0, 0, 0, 1, 4] { bytes += [0, 0, 0, UInt8(count)] }
        bytes += [0, 0, 14, 16, 0, 0] + Array("CET\0".utf8)
        if version == 1 { bytes += Array("\nCET-1CEST,M3.5.0,M10.5.0/3\n".utf8) }
    }
    do {
        return try TimeZoneRules(name: "Europe/Berlin", tzif: bytes)
    } catch {
        preconditionFailure("the zone of the targets is refused: \(error)")
    }
}()

func checkSchedule(_ schedule: Schedule) {
    for zone in [TimeZoneRules.utc, fuzzZone] {
        for policy in [DSTPolicy(), DSTPolicy(gap: .skip, overlap: .both)] {
            guard
                let timetable = try? Timetable(
                    schedule: schedule, zone: zone, dst: policy, anchor: Instant(seconds: 1_711_846_800))
            else { preconditionFailure("no timetable of \(schedule.text)") }
            checkTimetable(timetable)
        }
    }
}

/// Fires follow each other, `previous` undoes `next`, and `count` counts the steps. Around a gap, around an overlap,
/// at both ends of the domain.
func checkTimetable(_ timetable: Timetable) {
    for begin in [0, 1_711_846_000, 1_729_990_000, 4_102_444_800, 7_258_000_000] as [Int64] {
        let start = Instant(seconds: begin)
        var after = start
        var steps = 0
        while steps < 4, let fire = timetable.next(after: after) {
            precondition(fire > after && fire <= .horizon, "\(timetable.schedule.text) goes back")
            precondition(
                timetable.previous(atOrBefore: fire) == fire, "\(timetable.schedule.text): previous loses a fire")
            after = fire
            steps += 1
        }
        precondition(timetable.count(after: start, through: after) == steps, "\(timetable.schedule.text) counts wrong")
    }
    _ = timetable.next(after: Instant(microseconds: .min))
    _ = timetable.next(after: Instant(microseconds: .max))
    _ = timetable.previous(atOrBefore: Instant(microseconds: .min))
    _ = timetable.previous(atOrBefore: Instant(microseconds: .max))
    _ = timetable.count(after: Instant(microseconds: .min), through: Instant(microseconds: .max))
}

/// The place of a refusal lies within the text, and its value stands there.
func checkRefusal(_ error: any Error, of text: String) {
    guard let error = error as? ScheduleError else { preconditionFailure("another error: \(error)") }
    let scalars = Array(text.unicodeScalars)
    precondition(error.position >= 0 && error.position <= scalars.count, "\(error) is outside the text")
    if error.code == .fieldCount { return }
    let value = Array(error.value.unicodeScalars)
    let end = error.position + value.count
    precondition(end <= scalars.count && Array(scalars[error.position..<end]) == value, "\(error) does not stand there")
}
