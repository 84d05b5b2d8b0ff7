import Scheduling

/// What runs wait for in their surroundings, and want of the machine.
extension Daemon {
    func fulfil(_ wish: Effect) {
        switch wish {
        // Nobody knows the surroundings: every condition holds.
        case .watch(let watch): submit(.surroundingsChanged(Surroundings(unknown: watch)))
        case .check(let run, _, _): submit(.conditionChecked(run: run, holds: nil))
        // Nor does anybody hold off its sleep or wake the machine.
        case .holdAwake, .armWakeUp, .sleepAgain: break
        case .commit, .stop, .start, .arm, .announce, .reply:
            preconditionFailure("\(wish) is performed in its own place")
        }
    }
}
