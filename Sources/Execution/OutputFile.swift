internal import Glibc
internal import Processes

/// The file of an attempt's output: for its owner only, and there as a whole or not at all.
enum OutputFile {
    /// Writes the kept bytes, nothing between the first and the last ones: how many are missing there is in the
    /// record, and a mark would make binary output something else. nil, or why there is no file.
    ///
    /// Not synced: a power cut may cost the file, and the run is on record in the store all the same.
    static func write(_ output: OutputCapture, to path: String) -> String? {
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            // That it exists is the ordinary case; any other failure shows when the file is opened.
            mkdir(String(path[..<slash]), 0o700)
        }
        let draft = path + ".part"
        let number = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        let code = errno
        guard number >= 0 else { return message(draft, code, output) }
        let file = FileDescriptor(owning: number)
        if let code = writeAll(output.head, to: file) ?? writeAll(output.tail, to: file) {
            unlink(draft)
            return message(draft, code, output)
        }
        guard rename(draft, path) == 0 else {
            let code = errno
            unlink(draft)
            return message(path, code, output)
        }
        return nil
    }

    /// The errno of what went wrong, or nil.
    private static func writeAll(_ bytes: [UInt8], to file: borrowing FileDescriptor) -> Int32? {
        var offset = 0
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes { Glibc.write(file.number, $0.baseAddress, $0.count) }
            let code = errno
            if count > 0 {
                offset += count
            } else if count == 0 || code != EINTR {
                return count == 0 ? EIO : code
            }
        }
        return nil
    }

    private static func message(_ path: String, _ code: Int32, _ output: OutputCapture) -> String {
        let found = strerror(code).map { String(cString: $0) } ?? "errno \(code)"
        return "cannot write \(output.keptBytes.count) bytes of output to “\(path)”: \(found); "
            + "let this user write there, with space left"
    }
}
