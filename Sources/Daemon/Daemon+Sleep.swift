import Desktop
import EventLoop
import Persistence
import Scheduling

/// What the machine's sleep means for the daemon.
extension Daemon {
    func watchSleep() {
        login.onSleep = { [unowned self] in
            log.info("the machine goes to sleep")
            submit(.sleep)
            flush()
            try? store.checkpoint()
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
        login.onChange = { [unowned self] sentence in log.info(sentence) }
        login.connect()
    }
}
