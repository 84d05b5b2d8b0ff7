internal import EventLoop

/// Tells when what the schedules rest on may have changed: config.json, state.json, and the rules of time zones.
///
/// A burst of changes (an editor writes, renames, changes the mode) is told once, `settleUSec` after the last.
final class FileWatches {
    enum Change {
        case configuration
        case stateFile
        case zones
    }

    static let settleUSec: UInt64 = 100_000

    private let loop: EventLoop
    private let log: Log
    private var files: [FileWatch] = []
    private var folders: [InotifySource] = []
    private var mounts: MountWatch?

    /// - Parameter changed: is called in a turn of its own.
    /// - Throws: where there can be no timers. A file that cannot be watched is said in the log, and SIGHUP reloads it.
    init(
        configuration: String, stateFile: String, zones: String, loop: EventLoop, log: Log,
        _ changed: @escaping (Change) -> Void
    ) throws(EventLoopError) {
        self.loop = loop
        self.log = log
        watch(configuration, "the configuration", try settled { changed(.configuration) })
        watch(stateFile, "state.json", try settled { changed(.stateFile) })
        let zonesChanged = try settled { changed(.zones) }
        watch("/etc/localtime", "the machine's time zone", zonesChanged)
        // A new tzdata always renews files at the top of the folder.
        do {
            folders.append(
                try loop.inotify(path: zones, [.closedAfterWrite, .movedTo, .movedFrom, .deleted, .created]) { _ in
                    zonesChanged()
                })
        } catch {
            sayUnwatched("the time zone database", error)
        }
        mounts = try? MountWatch(on: loop) { [weak self] in self?.lookAgain() }
    }

    /// What is on the way to the files may have changed without an event: something was mounted, or rights were taken.
    func lookAgain() {
        for file in files { file.lookAgain() }
    }

    /// Calls back once for a burst of calls.
    private func settled(_ handler: @escaping () -> Void) throws(EventLoopError) -> () -> Void {
        let timer = try loop.timer(.monotonic, accuracyUSec: 1000, handler)
        let loop = loop
        return { timer.arm(atUSec: loop.now(.monotonic) + Self.settleUSec) }
    }

    private func watch(_ path: String, _ what: String, _ changed: @escaping () -> Void) {
        do {
            files.append(try FileWatch(path, on: loop, changed))
        } catch {
            sayUnwatched(what, error)
        }
    }

    private func sayUnwatched(_ what: String, _ error: EventLoopError) {
        log.warning("changes are not noticed until SIGHUP", [("BOTCRON_FILE", what), ("BOTCRON_ERROR", "\(error)")])
    }
}
