public import Schedules

/// What is wanted of the machine. Of each kind the last wish holds; the first turn of a core states all of them, empty
/// ones too, so that nothing of an earlier core's stays.
public enum MachineWish: Sendable, Equatable {
    /// Watch these facts from now on, and answer by `Event.surroundingsChanged`; see `Watch`.
    case watch(Watch)
    /// Hold off the machine's sleep as long as there is such a run, as far as the rights allow.
    case holdAwake([AwakeRun])
    /// Wake the machine at this instant, where it sleeps then; nil: for nothing. Where the kernel or the rights do not
    /// allow it, that is said once.
    case armWakeUp(Instant?)
    /// The machine was woken for runs that have ended: send it to sleep again, unless somebody has used it since then,
    /// or another program holds a lock.
    case sleepAgain(unlessUsedSince: Instant)
}
