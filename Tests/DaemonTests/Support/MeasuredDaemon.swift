import DBus
import Glibc
import JSON
import Testing

/// A daemon whose turns of the loop are measured, by itself: `GetStatus.loop`.
///
/// What counts is processor time, which a busy machine does not disturb. A bound is one of a release build, and
/// `BOTCRON_RELEASE` names the folder of one (`make test` builds it first). Without the variable the debug build beside
/// the tests is measured, for which each turn may take ten times as long, and there are fewer of what takes time.
struct MeasuredDaemon {
    /// Of a release build, in ms: rule 3 of the plan of the house.
    private static let turnMilliseconds = 50.0
    private static let debugFactor = 10.0
    private static let release = getenv("BOTCRON_RELEASE").map { String(cString: $0) }

    static let binary = release.map { $0 + "/botcrond" } ?? Session.binary
    static let bound = release == nil ? turnMilliseconds * debugFactor : turnMilliseconds

    /// So many of what takes time: fewer for a debug build, more where there is time for all of it.
    static func many(_ count: Int, long: Int? = nil) -> Int {
        if release == nil { return count / 10 }
        return getenv("BOTCRON_LONG_TESTS") == nil ? count : long ?? count
    }

    let session: Session
    private var longest = 0.0

    init(_ session: Session) throws {
        self.session = session
        try session.start(binary: Self.binary)
    }

    /// Fails where a turn was longer than it may be; `what` was done since it was last looked.
    mutating func check(_ what: String) throws {
        let loop = try session.json("GetStatus")["loop"]
        let busy = try #require(loop?["busy_ms_max"]?.doubleValue)
        guard busy > longest else { return }
        longest = busy
        #expect(busy <= Self.bound, "\(what): a turn of \(busy) ms; exempt: \(loop?["exempt"] ?? .null)")
    }
}
