// libFuzzer target: cron expressions, nicknames and the searches of whatever parses.

import Schedules

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let text = fuzzText(data, size)
    do {
        checkSchedule(try Schedule.cron(text))
    } catch {
        checkRefusal(error, of: text)
    }
    return 0
}
