import Desktop
import EventLoop
import Store
import Scheduling

/// What the machine's sleep, and clocks that jump, mean for the daemon.
extension Daemon {
    func watchSleep() {
        login.onSleep = { [unowned self] in
            log.info("the machine goes to sleep")
            submit(.sleep)
            flush()
            // A store that somebody else holds is not waited for a second time: what is committed is safe as it is.
            if storeFault == nil { try? store.checkpoint() }
            login.releaseSleepLock()
        }
        login.onWake = { [unowned self] in
            log.info("the machine is awake")
            submit(.wake)
        }
        login.onShutdown = { [unowned self] in
            stop(because: "the machine shuts down")
            flush()
            login.releaseShutdownLock()
        }
        watchRefusals()
        login.onChange = { [unowned self] sentence in log.info(sentence) }
        systemBus.onChange = { [unowned self] sentence in log.info(sentence) }
        systemBus.connect()
    }

    /// Looks whether the clocks tell of something that nobody told, before anything else is decided: at each wake-up of
    /// the loop that leads to a decision, so without one of its own.
    func noticeLostTime(isClockSet: Bool = false) {
        guard let finding = clocks.notice(ClockComparison.Reading(loop), isSet: isClockSet) else { return }
        // A sleep that logind announced ends when logind says so; should it have forgotten, it is asked.
        let isSleep = finding.lostUSec > 0 && scheduler.status != .sleeping
        if finding.lostUSec > 0, login.isAsleep { login.askHowItIs() }
        if isSleep {
            log.info(
                "nothing ran for a while, and nobody said so: this is taken for a sleep of the machine",
                [("BOTCRON_SECONDS", seconds(finding.lostUSec)), ("BOTCRON_EVIDENCE", finding.evidence)])
            decide(.sleep)
        }
        if finding.stepUSec != 0 {
            log.info("the clock was set", [("BOTCRON_STEP_SECONDS", seconds(finding.stepUSec))])
            decide(.clockChanged(by: .microseconds(finding.stepUSec)))
            typedFace.touchAllJobs()
        }
        if isSleep { decide(.wake) }
    }

    private func seconds(_ usec: Int64) -> String { "\(Double(usec) / 1e6)" }
}
