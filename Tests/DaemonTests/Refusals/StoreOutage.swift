import Glibc
import TestSupport

/// A way in which the store cannot be written for a while.
enum StoreOutage: String, CaseIterable {
    /// Another program has begun to write, and does not end.
    case lock
    /// No room for anything, config.json and what runs write included.
    case full
    case readOnly
    case inputOutput
    /// The last of a commit fails, after all of it was written: where nothing is done about it, it comes back.
    case sync
    /// Nothing can be read, either.
    case unreadable

    /// Whether a commit may be on record though it failed: those who asked for it are told nothing meanwhile.
    var leavesDoubt: Bool {
        switch self {
        case .lock, .full: false
        case .readOnly, .inputOutput, .sync, .unreadable: true
        }
    }

    /// What the disk does; nil where it is well.
    func failure(_ session: Session) -> FailingDisk.Failure? {
        switch self {
        case .lock: nil
        case .full: .init(calls: "wcm", code: ENOSPC, path: session.scratch.path + "/")
        case .readOnly: .init(calls: "wcmno", code: EROFS, path: session.stateFolder + "/")
        case .inputOutput: .init(calls: "ws", code: EIO, path: session.stateFolder + "/")
        case .sync: .init(calls: "s", code: EIO, path: session.stateFolder + "/botcron.db")
        case .unreadable: .init(calls: "rws", code: EIO, path: session.stateFolder + "/botcron.db")
        }
    }
}
