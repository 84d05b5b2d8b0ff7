internal import CLinux
import Glibc

/// Writes a file so that its readers see either all of the old content or all of the new, after a crash too.
public enum FileReplacement {
    /// Only its owner may read what is written anew.
    public static let defaultMode: UInt32 = 0o600

    /// As many links in a row as the kernel follows.
    private static let linksMax = 40

    /// Replaces the content of a file, or makes it.
    ///
    /// The new content is written beside it, brought to disk, and renamed over it. A symbolic link stays one: what it
    /// points at is replaced. An existing file keeps its permission bits, whatever `mode` says, and its owner and group
    /// where the system lets us.
    ///
    /// - Parameters:
    ///   - mode: permission bits of a file that is made.
    ///   - isDurable: whether to wait for the disk. Without it a power cut may bring the old content back, or leave an
    ///     empty file: for what can be made anew.
    /// - Throws: `write PATH` with the error of the system; the old content is then in place, and nothing is left
    ///   beside it. Only where the last step fails, bringing the folder to disk, the new content may be in place.
    public static func replace(
        _ path: String, with bytes: [UInt8], mode: UInt32 = defaultMode, isDurable: Bool = true
    ) throws(ConfigurationError) {
        let target = try target(of: path)
        var status = stat()
        let old = lstat(target, &status) == 0 ? status : nil
        let folder = target.folderOfPath
        let temporary = try write(bytes, inFolder: folder, like: old, mode: mode, isDurable: isDurable, for: path)
        guard rename(temporary, target) == 0 else {
            let code = errno
            unlink(temporary)
            throw failure(path, code)
        }
        if isDurable { try synchronizeFolder(folder, for: path) }
    }

    /// How often an edit begins anew because somebody else wrote the file meanwhile.
    private static let triesMax = 20

    /// Replaces the content of a file by what `edit` makes of it, and loses nothing that others write meanwhile.
    ///
    /// The new content changes places with the old in one step. What comes out is compared with what was read: where it
    /// is something else, somebody wrote in between, and the edit is made once more, of that. Everything else is as
    /// with `replace`. On a file system that cannot exchange files, the last who writes wins.
    ///
    /// - Parameters:
    ///   - bytesMax: a file that is larger is not edited.
    ///   - edit: the new content. Where it throws, the file is as the other one wrote it.
    /// - Throws: what `edit` throws; `read PATH`, `write PATH`, also where others do not stop writing.
    public static func edit(
        _ path: String, bytesMax: Int = ConfigurationFile.bytesMax, mode: UInt32 = defaultMode,
        isDurable: Bool = true, _ edit: (ConfigurationFile.Contents) throws -> [UInt8]
    ) throws {
        let target = try target(of: path)
        let folder = target.folderOfPath
        var contents = try ConfigurationFile.load(path: target, bytesMax: bytesMax)
        /// What is to come out when ours goes in.
        var expected = contents
        for _ in 0..<triesMax {
            let new = try edit(contents)
            if contents == .bytes(new), contents == expected { return }
            var status = stat()
            let old = lstat(target, &status) == 0 ? status : nil
            let temporary = try write(new, inFolder: folder, like: old, mode: mode, isDurable: isDurable, for: path)
            switch put(temporary, inPlaceOf: target, where: expected) {
            case .done:
                if isDurable { try synchronizeFolder(folder, for: path) }
                return
            case .changed:
                contents = try ConfigurationFile.load(path: target, bytesMax: bytesMax)
                expected = contents
            case .cameOut:
                // Ours is in; what came out is under the temporary name.
                do {
                    contents = try ConfigurationFile.load(path: temporary, bytesMax: bytesMax)
                    _ = try edit(contents)
                } catch {
                    _ = rename(temporary, target)
                    throw error
                }
                unlink(temporary)
                expected = .bytes(new)
            case .failed(let code):
                throw failure(path, code)
            }
        }
        throw ConfigurationError(
            operation: "write", object: path, reason: "another program does not stop writing it; try again later")
    }

    private enum Exchange {
        case done
        /// Nothing was written: the file came or went meanwhile.
        case changed
        /// Ours is in place, and what came out was not what was read.
        case cameOut
        case failed(Int32)
    }

    private static func put(
        _ temporary: String, inPlaceOf target: String, where expected: ConfigurationFile.Contents
    ) -> Exchange {
        let flags = expected == .absent ? BC_RENAME_NOREPLACE : BC_RENAME_EXCHANGE
        guard bc_rename(temporary, target, UInt32(flags)) == 0 else {
            let code = errno
            switch code {
            case EEXIST, ENOENT:
                unlink(temporary)
                return .changed
            case EINVAL, ENOSYS:
                guard rename(temporary, target) != 0 else { return .done }
                let code = errno
                unlink(temporary)
                return .failed(code)
            default:
                unlink(temporary)
                return .failed(code)
            }
        }
        guard expected != .absent else { return .done }
        guard (try? ConfigurationFile.load(path: temporary)) == expected else { return .cameOut }
        unlink(temporary)
        return .done
    }

    // MARK: - Steps

    /// Where the links from `path` lead; the last one may point at nothing yet.
    private static func target(of path: String) throws(ConfigurationError) -> String {
        var path = path
        let asked = path
        for _ in 0..<linksMax {
            var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
            let count = buffer.withUnsafeMutableBytes { raw in
                raw.bindMemory(to: CChar.self).baseAddress.map { readlink(path, $0, raw.count) } ?? 0
            }
            // Neither a link nor an error that writing would not meet again, with a better name for it.
            guard count > 0 else { return path }
            let link = String(decoding: buffer[..<count], as: UTF8.self)
            path = link.hasPrefix("/") ? link : path.folderOfPath + "/" + link
        }
        throw failure(asked, ELOOP)
    }

    /// Makes a file with that content in the folder; its name.
    private static func write(
        _ bytes: [UInt8], inFolder folder: String, like old: stat?, mode: UInt32, isDurable: Bool, for path: String
    ) throws(ConfigurationError) -> String {
        // Not derived from the file's own name, which may be as long as a name can be.
        let temporary = "\(folder)/.botcron-\(String(UInt64.random(in: .min ... .max), radix: 36))"
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC
        var descriptor = open(temporary, flags, 0o600)
        if descriptor < 0, errno == ENOENT {
            makeFolder(folder)
            descriptor = open(temporary, flags, 0o600)
        }
        guard descriptor >= 0 else { throw failure(path, errno) }
        var code = writeAll(bytes, to: descriptor)
        // Before the mode: changing the owner clears bits of it. Only root may give files away, others keep the group
        // at most; where that is refused, the file is ours from now on.
        if let old { _ = fchown(descriptor, old.st_uid, old.st_gid) }
        let permissions = old.map { UInt32($0.st_mode) & 0o7777 } ?? mode
        if code == 0, fchmod(descriptor, permissions) != 0 { code = errno }
        if code == 0, isDurable, fsync(descriptor) != 0 { code = errno }
        if close(descriptor) != 0, code == 0 { code = errno }
        guard code == 0 else {
            unlink(temporary)
            throw failure(path, code)
        }
        return temporary
    }

    /// Makes a folder that is missing, and those above it, for its owner alone: as the XDG Base Directory Specification
    /// has it for whoever is about to write there. What cannot be made is found by the write.
    private static func makeFolder(_ folder: String) {
        guard mkdir(folder, 0o700) != 0, errno == ENOENT, folder.utf8.count > 1 else { return }
        let above = folder.folderOfPath
        guard above != folder, !above.isEmpty else { return }
        makeFolder(above)
        mkdir(folder, 0o700)
    }

    /// Zero, or the error number.
    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                Glibc.write(descriptor, raw.baseAddress.map { $0 + written }, raw.count - written)
            }
            if count < 0 {
                let code = errno
                if code == EINTR { continue }
                return code
            }
            written += count
        }
        return 0
    }

    /// The rename itself is durable only with its folder.
    private static func synchronizeFolder(_ folder: String, for path: String) throws(ConfigurationError) {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path, errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            let code = errno
            // A file system that cannot do it for folders: nothing better can be had there.
            if code == EINVAL { return }
            throw failure(path, code)
        }
    }

    private static func failure(_ path: String, _ code: Int32) -> ConfigurationError {
        ConfigurationError(operation: "write", object: path, errno: code)
    }
}
