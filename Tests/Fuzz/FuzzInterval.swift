// libFuzzer target: intervals and durations.

import Schedules

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let text = fuzzText(data, size)
    do {
        checkSchedule(try Schedule.interval(text))
    } catch {
        checkRefusal(error, of: text)
    }
    do {
        _ = try Schedule.parseDuration(text)
    } catch {
        checkRefusal(error, of: text)
    }
    return 0
}
