// libFuzzer target: the forms of one instant.

import Schedules

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let text = fuzzText(data, size)
    do {
        checkSchedule(
            try Schedule.once(
                text, registeredAt: Instant(seconds: 1_772_884_800), zone: fuzzZone, allowPast: size % 2 == 0))
    } catch {
        checkRefusal(error, of: text)
    }
    if let instant = Instant(rfc3339: text) {
        let printed = instant.rfc3339(in: .utc)
        precondition(Instant(rfc3339: printed)?.seconds == instant.seconds, "\(text) is printed as \(printed)")
    }
    return 0
}
