import Glibc
public import Store

extension SQLiteStore {
    /// Moves a damaged database out of the way, so that a new one can be made: `botcron.db.damaged-<date>`, with its
    /// log and shared memory beside it under matching names, as tools that may rescue it expect.
    ///
    /// Not while the store is open. The log goes first and the database last: an empty new database must never meet
    /// the old one's log, and where this is interrupted the damaged file is still there to be found again.
    ///
    /// - Parameter date: goes into the name; where that is taken, `-2`, `-3`, … follow.
    /// - Returns: the new path of the database.
    public static func setAside(path: String, date: String) throws(StoreError) -> String {
        let suffixes = ["-wal", "-shm", ""]
        let target = unusedName("\(path).damaged-\(date)", suffixes)
        for suffix in suffixes where rename(path + suffix, target + suffix) != 0 {
            let number = errno
            // No log and no shared memory is what an orderly end leaves.
            if number == ENOENT && !suffix.isEmpty { continue }
            throw StoreError(errno: number, operation: "set the damaged store aside", path: path + suffix)
        }
        syncFolder(of: path)
        return target
    }

    /// The name itself, or with `-2`, `-3`, …: the first under which there is nothing with any of the suffixes.
    static func unusedName(_ base: String, _ suffixes: [String] = [""]) -> String {
        var name = base
        var number = 2
        while suffixes.contains(where: { access(name + $0, F_OK) == 0 }) {
            name = "\(base)-\(number)"
            number += 1
        }
        return name
    }
}
