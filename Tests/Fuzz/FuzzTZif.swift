// libFuzzer target: zone files. The corpus begins with the installed ones.

import Schedules

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    guard let zone = try? TimeZoneRules(name: "fuzz", tzif: bytes) else { return 0 }
    for text in ["30 2 * * *", "*/30 * * * *", "0 0 * 2 MON#5"] {
        guard let schedule = try? Schedule.cron(text),
            let timetable = try? Timetable(schedule: schedule, zone: zone, anchor: .epoch)
        else { preconditionFailure("\(text) is refused") }
        checkTimetable(timetable)
    }
    guard let schedule = try? Schedule.interval("1mo1d"),
        let timetable = try? Timetable(schedule: schedule, zone: zone, anchor: Instant(seconds: 951_782_400))
    else { preconditionFailure("an interval is refused") }
    checkTimetable(timetable)
    return 0
}
