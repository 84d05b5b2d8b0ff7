import Contract
import EventLoop
import Glibc
import SQLiteStore
import Schedules
import Store

/// The way to an open store: the lock of its folder, then the file.
///
/// A store that another program holds for a moment is waited for. What a restart may mend ends in an exit code on which
/// the service manager starts the daemon again; what none can mend (no folder, another program's file, a later
/// version's) in one on which it does not.
struct StoreOpening {
    /// A store that is locked is tried again for so long.
    static let patienceUSec: UInt64 = 5_000_000
    private static let pauseUSec: UInt32 = 100_000

    let folder: StateFolder
    let store: any Store

    init(in path: String, _ log: Log) throws(StartError) {
        do throws(StoreError) {
            folder = try StateFolder(path: path)
            store = try Self.openPatiently(folder, log)
        } catch {
            throw StartError(
                exitCode: error.needsPerson ? ExitCode.cannotCreate : ExitCode.unavailable, message: "\(error)")
        }
    }

    private static func openPatiently(_ folder: StateFolder, _ log: Log) throws(StoreError) -> any Store {
        let start = EventLoop.Clock.monotonic.nowUSec
        while true {
            do throws(StoreError) {
                return try open(folder, log)
            } catch {
                guard error.kind == .busy, EventLoop.Clock.monotonic.nowUSec - start < patienceUSec else { throw error }
            }
            // Nothing else can be done before there is a store, and nobody is served yet.
            usleep(pauseUSec)
        }
    }

    /// A damaged one is set aside, said loudly, and the daemon starts with what config.json says.
    private static func open(_ folder: StateFolder, _ log: Log) throws(StoreError) -> any Store {
        let path = folder.path + "/" + StatePaths.storeName
        func open() throws(StoreError) -> any Store {
            let store = try SQLiteStore(path: path, in: folder)
            store.onRescue = {
                log.error("the store was taken away while it was open, and is written anew", [("BOTCRON_STORE", path)])
            }
            // What is there must be readable, too: else it is as good as damaged.
            _ = try store.lastTurn()
            return store
        }
        do {
            return try open()
        } catch  where error.kind == .damaged {
            let now = Instant(microseconds: Int64(EventLoop.Clock.realtime.nowUSec))
            let kept = try SQLiteStore.setAside(path: path, date: now.rfc3339(in: .utc))
            log.error(
                "the store is damaged and was set aside; history, toggles and jobs made over the bus begin anew",
                [("BOTCRON_ERROR", "\(error)"), ("BOTCRON_KEPT", kept)])
            return try open()
        }
    }
}
