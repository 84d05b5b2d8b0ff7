import JSON
import Schedules
import Scheduling

/// How and when jobs run, as read once for all definitions that say it in the same words: of a hundred thousand most
/// differ in their name and in what they run.
///
/// A frame is what is made of a definition's members but for those of its identity and its action, of the defaults, and
/// of its registration. Definitions that have all of it in common have equal frames.
final class JobFrames {
    /// Frames that are kept. Definitions that have others are read each by itself.
    private static let framesMax = 4_096

    /// Every spelling of a key of identity or action.
    private let ownKeys: Set<String>
    private var frames: [JSONObject: Job] = [:]

    init(ownKeys: Set<String>) { self.ownKeys = ownKeys }

    /// The members of a definition that its frame is made of.
    func members(of definition: JSONObject) -> JSONObject {
        JSONObject(definition.filter { !ownKeys.contains($0.key) }.map { ($0.key, $0.value) })
    }

    /// The frame of those members, as a job that has neither name nor action yet; nil where it is to be read.
    ///
    /// - Parameters:
    ///   - registration: what is remembered of the job that asks.
    ///   - now: when its schedule counts as registered where nothing is remembered.
    func frame(_ members: JSONObject, _ registration: Registration?, now: Instant) -> Job? {
        guard let frame = frames[members] else { return nil }
        guard let registration else { return frame.registeredAt == now ? frame : nil }
        // Another schedule is registered anew, and by what was remembered of it: that takes reading it.
        let isSame = registration.registeredAt == frame.registeredAt && registration.scheduleKey == frame.scheduleKey
        return isSame ? frame : nil
    }

    func keep(_ frame: Job, _ members: JSONObject) {
        guard frames.count < Self.framesMax || frames[members] != nil else { return }
        frames[members] = frame
    }
}
