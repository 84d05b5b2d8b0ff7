// libFuzzer target: calendar events and exclusions.

import Schedules

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let text = fuzzText(data, size)
    let zones = { (name: String) in name == "UTC" ? TimeZoneRules.utc : name == "Europe/Berlin" ? fuzzZone : nil }
    do {
        checkSchedule(try Schedule.calendar(text, zones: zones))
        _ = try Exclusion(text, zone: fuzzZone, zones: zones).contains(Instant(seconds: 1_772_884_800))
    } catch {
        checkRefusal(error, of: text)
    }
    return 0
}
