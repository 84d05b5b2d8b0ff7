import Glibc

/// Bits that no other daemon has, for trace ids.
func randomSeed() -> UInt64 { UInt64.random(in: 0 ... .max) }

/// The wall clock, in µs since 1970, for those who have no loop.
func wallClockUSec() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
}
