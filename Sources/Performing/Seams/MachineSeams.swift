public import Schedules
public import Scheduling

/// Whether time was lost or set: asked before every decision. Given by Machine.
public protocol ClockSense: AnyObject {
    /// What the clocks tell of that nobody told, to be decided before anything else: a sleep and its end, a step.
    func noticed() -> [Event]
    /// The instant that is waited for now: by it a timer that came too late is told from one that was asleep.
    func armed(for instant: Instant?, now: Instant)
}

/// How the engine performs what is wanted of the machine. Given by Machine.
public protocol MachineControl: AnyObject {
    func fulfil(_ wish: MachineWish)
    /// Whether the machine is about to sleep, or sleeps, as far as somebody has said so.
    var isAsleep: Bool { get }
    /// What is known of the surroundings that are watched.
    var surroundings: Surroundings { get }
}
