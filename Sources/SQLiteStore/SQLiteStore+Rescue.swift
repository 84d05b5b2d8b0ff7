import Glibc
import Store

/// What becomes of a store whose file is taken away while it is open.
extension SQLiteStore {
    /// The lock of the folder comes first: without it another daemon may be at work there, and whatever this one wrote
    /// would be in its way. Where the file at the path is no longer the one that is open, or its log is not, a commit
    /// would be lost with the next restart. As long as they are open all of it is there: what is gone is written anew,
    /// and the store goes on with that.
    ///
    /// - Throws: `locked` where another process has the folder now; `replaced` where there is another file; whatever
    ///   keeps the new one from being written.
    func rescueIfMoved() throws(StoreError) {
        let operation = "write the store anew, whose file was taken away"
        let database = try opened(operation).database
        try folder?.restoreIfMoved()
        let isMoved = database.isMoved
        let log = FileStatus(path + "-wal")?.inode
        guard isMoved || log != logInode else { return }
        let other = isMoved ? FileStatus(path)?.inode : log
        guard other == nil || other == writtenInode else { throw try replaced(database) }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count > 1 { try StateFolder.makeFolders(parts.dropLast().joined(separator: "/")) }
        // The old one's log must not meet the new file. Under its name it is of no use to anybody any more.
        for suffix in ["-wal", "-shm"] { _ = unlink(path + suffix) }
        database.setCheckpointOnClose(false)
        try database.copy(asNew: path, operation)
        writtenInode = FileStatus(path)?.inode
        try reopen()
        onRescue()
    }

    /// Another file is the user's wish: it is left as it is, and what this one held is kept beside it. SQLite would
    /// take the log that is there for its own, and mix the two.
    private func replaced(_ database: Database) throws(StoreError) -> StoreError {
        let kept = keptAs ?? Self.unusedName(path + ".replaced")
        if keptAs == nil {
            try database.copy(asNew: kept, "keep the store in whose place there is another file")
            keptAs = kept
            database.setCheckpointOnClose(false)
            if let log = FileStatus(path + "-wal"), log.inode == logInode {
                for suffix in ["-wal", "-shm"] { _ = unlink(path + suffix) }
            }
        }
        return StoreError(
            kind: .replaced, operation: "go on with the store", path: path,
            message: "it is another file than the one that was opened, which is kept as \(kept)")
    }
}
