/// The folder of one attempt, `<state>/runs/<execution id>.<attempt>/`, for its owner only.
///
/// | file | holds |
/// |---|---|
/// | `identity` | the run, the attempt, the bound of its output; then its supervisor, `begun`, and its process |
/// | `outcome` | how it ended: there as a whole or not at all |
/// | `remarks` | what the process has said of itself so far, replaced as a whole |
/// | `answer` | what the process is told that asked a person, replaced as a whole |
/// | `output` | what it wrote: the first half of the bound, and after the end the last half too |
/// | `previous` | of a chained run: what the run before wrote |
/// | `output.<offset>` | while it runs: what it wrote from that byte on, the last ones only |
///
/// The daemon writes the first three things of `identity` and `answer`, and makes `previous`; the supervisor writes all
/// else.
///
/// `identity` is locked (flock(2)) from before the supervisor starts until the supervisor is gone, however it goes: the
/// daemon takes the lock and leaves its fd to the supervisor. A folder whose lock is free belongs to nobody who lives.
/// One that is empty was claimed for an attempt, and nothing has been started in it.
public enum RunFolder {
    public static let identityName = "identity"
    /// The field of `identity` that the supervisor writes past its gate and before it forks: without it no process of
    /// the job has ever been.
    public static let begunField = "begun"
    public static let outcomeName = "outcome"
    /// The outcome to be: made, with its room on disk, before the process starts.
    public static let outcomeDraftName = "outcome.new"
    public static let outputName = "output"
    /// Of a chained run: another name of the `output` of the run before.
    public static let previousName = "previous"
    public static let remarksName = "remarks"
    public static let remarksDraftName = "remarks.new"
    public static let answerName = "answer"
    public static let answerDraftName = "answer.new"

    /// The name of an attempt's folder. An execution id may hold any text; `/` and what comes first in hidden names
    /// are replaced, and a name has a bound.
    public static func name(run: String, attempt: Int) -> String {
        var name = run.isEmpty ? "_" : ""
        for scalar in run.unicodeScalars {
            let isUnsafe = scalar == "/" || scalar.value < 0x20 || (name.isEmpty && scalar == ".")
            name.unicodeScalars.append(isUnsafe ? "_" : scalar)
        }
        // A changed id could meet another one: the hash of the whole keeps them apart.
        guard name != run || name.utf8.count > nameBytesMax else { return "\(name).\(attempt)" }
        var prefix = ""
        for scalar in name.unicodeScalars {
            guard prefix.utf8.count + String(scalar).utf8.count <= nameBytesMax else { break }
            prefix.unicodeScalars.append(scalar)
        }
        return "\(prefix)~\(String(StableHash.fnv1a(run), radix: 16)).\(attempt)"
    }

    /// Of a name's 255 bytes on Linux, so many for the id.
    static let nameBytesMax = 200

    // MARK: - Bounds of what is read back

    /// The bytes of an `identity` that are looked at; one that is longer is read as if it ended there.
    public static let identityBytesMax = 1 << 16
    /// The bytes of an `outcome` or of `remarks`; a longer file is no whole record. The words of a process are six
    /// lines of 64 KiB at most.
    public static let recordBytesMax = 512 << 10
    /// The bytes of an `answer`.
    public static let answerBytesMax = 1 << 16
    /// The fields of any of the four; with more of them it is no whole record.
    public static let fieldsMax = 64
}
