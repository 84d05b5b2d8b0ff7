/// A delay that spreads jobs over time, the same for the same job and fire time on every machine and after every
/// restart.
public enum Jitter {
    /// How many milliseconds after its fire time a run starts: 0 … `jitterMilliseconds`, and before the next fire.
    ///
    /// The delay is h mod (limit + 1), where h is FNV-1a of `<job name>|<POSIX seconds of the fire>`, its upper half
    /// folded into the lower, and the limit is the jitter or what is left to the next fire, whichever is less.
    public static func delayMilliseconds(
        jobName: String, fire: Instant, nextFire: Instant?, jitterMilliseconds: Int64
    ) -> Int64 {
        var limit = max(jitterMilliseconds, 0)
        if let nextFire {
            let gap = (nextFire.microseconds.subtractingReportingOverflow(fire.microseconds).partialValue) / 1_000 - 1
            limit = min(limit, max(gap, 0))
        }
        var hash = FNV1a(jobName)
        hash.add("|")
        hash.add(String(fire.seconds))
        let folded = hash.value ^ (hash.value >> 32)
        return Int64(folded % (UInt64(limit) + 1))
    }
}
