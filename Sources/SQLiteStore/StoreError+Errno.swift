import Glibc
import Store

extension StoreError {
    /// From an `errno` that a system call on `path` left.
    init(errno number: Int32, operation: String, path: String) {
        self.init(
            kind: Kind(errno: number) ?? .cannotOpen, operation: operation, path: path,
            message: String(cString: strerror(number)))
    }
}

extension StoreError.Kind {
    /// Nil where the number does not tell.
    init?(errno number: Int32) {
        switch number {
        case ENOSPC, EDQUOT: self = .full
        case EROFS, EACCES, EPERM: self = .readOnly
        case EIO: self = .inputOutput
        case ENOTDIR, ENAMETOOLONG: self = .noFolder
        // Of a symbolic link that is not followed, too.
        case EISDIR, ELOOP: self = .notAFile
        default: return nil
        }
    }
}
