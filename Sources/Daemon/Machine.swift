import Glibc

/// Names this boot of the machine; empty where the kernel does not say.
func bootID() -> String {
    guard let file = fopen("/proc/sys/kernel/random/boot_id", "re") else { return "" }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 64)
    guard fgets(&line, Int32(line.count), file) != nil else { return "" }
    return String(decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Bits that no other daemon has, for trace ids.
func randomSeed() -> UInt64 { UInt64.random(in: 0 ... .max) }

/// The wall clock, in µs since 1970, for those who have no loop.
func wallClockUSec() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
}
