import CSQLite
import Glibc
import Testing

/// A disk that fails where a test wants it to, for the stores of the thread that the test runs on; and one that
/// remembers what a power cut would leave.
///
/// It sits below SQLite, in a copy of its own layer of files, which is made the default of this process: where no disk
/// is put under a thread, everything goes straight through.
///
/// What a power cut leaves is the strict reading of the kernel's promise: what was written before a sync that succeeded
/// is there. What was written before a sync that failed is lost, unless it is written again, although later syncs
/// succeed: the kernel has given it up, and says so once.
final class FaultyDisk {
    enum Call { case write, sync, truncate }

    struct Fault: CustomStringConvertible {
        let call: Call
        /// The how-manieth of these calls, from 1.
        let number: Int
        /// What SQLite is told.
        let code: Int32
        /// Half of what was to be written is.
        var isTorn = false

        var description: String { "\(call) \(number) fails with \(code)\(isTorn ? ", torn" : "")" }
    }

    private var fault: Fault?
    private(set) var calls: [Call: Int] = [:]
    private(set) var hasFailed = false
    /// The fault stays until it is mended: every later call of its kind fails, too.
    var isBroken = false

    private struct File {
        /// What is on the disk for sure, and what was written since the last sync.
        var durable: [UInt8]
        var pending: [Change] = []
    }

    fileprivate enum Change {
        case bytes([UInt8], at: Int)
        case size(Int)
    }

    /// By path.
    private var files: [String: File] = [:]
    /// The paths of open files, by the addresses of what SQLite knows of them.
    private var paths: [UnsafeMutableRawPointer: String] = [:]

    /// Puts a disk under the thread for as long as `body` takes.
    static func under<Value>(_ body: (FaultyDisk) throws -> Value) rethrows -> Value {
        layer.use()
        let disk = FaultyDisk()
        disk.isUnder = true
        defer { disk.isUnder = false }
        return try body(disk)
    }

    /// Puts a fault in place of the one before, and counts calls anew.
    func arm(_ fault: Fault?) {
        self.fault = fault
        hasFailed = false
        isBroken = false
        calls = [:]
    }

    /// Whether it is under the thread.
    var isUnder = false {
        didSet { pthread_setspecific(Self.key, isUnder ? Unmanaged.passUnretained(self).toOpaque() : nil) }
    }

    /// The bytes of a file as a power cut now would leave them; nil where it was never opened.
    func durable(_ path: String) -> [UInt8]? { files[path]?.durable }

    // MARK: - What the layer tells

    fileprivate func opened(_ file: UnsafeMutableRawPointer, _ path: String) {
        paths[file] = path
        if files[path] == nil { files[path] = File(durable: Scratch.bytes(path)) }
    }

    fileprivate func closed(_ file: UnsafeMutableRawPointer) { paths[file] = nil }

    /// The code to fail with; nil where the call is to be made.
    fileprivate func failure(_ call: Call) -> Fault? {
        calls[call, default: 0] += 1
        guard let fault, fault.call == call else { return nil }
        guard calls[call] == fault.number || hasFailed && isBroken else { return nil }
        hasFailed = true
        return fault
    }

    fileprivate func wrote(_ bytes: [UInt8], at offset: Int, to file: UnsafeMutableRawPointer) {
        guard let path = paths[file] else { return }
        files[path]?.pending.append(.bytes(bytes, at: offset))
    }

    fileprivate func cut(_ file: UnsafeMutableRawPointer, to size: Int) {
        guard let path = paths[file] else { return }
        files[path]?.pending.append(.size(size))
    }

    fileprivate func synced(_ file: UnsafeMutableRawPointer, well: Bool) {
        guard let path = paths[file], var known = files[path] else { return }
        for change in known.pending where well { change.apply(to: &known.durable) }
        known.pending = []
        files[path] = known
    }

    // MARK: - The layer

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        return key
    }()

    fileprivate static var current: FaultyDisk? {
        pthread_getspecific(key).map { Unmanaged<FaultyDisk>.fromOpaque($0).takeUnretainedValue() }
    }

    private static let layer = Layer()
}

extension FaultyDisk.Change {
    fileprivate func apply(to bytes: inout [UInt8]) {
        switch self {
        case .size(let size):
            bytes = Array(bytes.prefix(size)) + [UInt8](repeating: 0, count: max(0, size - bytes.count))
        case .bytes(let new, let offset):
            if bytes.count < offset + new.count {
                bytes += [UInt8](repeating: 0, count: offset + new.count - bytes.count)
            }
            bytes.replaceSubrange(offset..<offset + new.count, with: new)
        }
    }
}

/// SQLite's layer of files, with a table of methods of ours for each file that is opened under a disk. Behind each such
/// table stands the one that it was made from.
private struct Layer {
    init() {
        guard let below = sqlite3_vfs_find(nil) else { return }
        let vfs = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        vfs.initialize(to: below.pointee)
        vfs.pointee.zName = UnsafePointer(strdup("faulty"))
        vfs.pointee.xOpen = { _, name, file, flags, out in
            // The kernel's is registered under this name, and never goes.
            guard let kernel = sqlite3_vfs_find("unix"), let file else { return SQLITE_MISUSE }
            let code = kernel.pointee.xOpen(kernel, name, file, flags, out)
            if code == SQLITE_OK, let disk = FaultyDisk.current, let name { Layer.replaceMethods(of: file, name, disk) }
            return code
        }
        sqlite3_vfs_register(vfs, 1)
    }

    /// Once made it is in use.
    func use() {}

    private static func replaceMethods(
        of file: UnsafeMutablePointer<sqlite3_file>, _ name: UnsafePointer<CChar>, _ disk: FaultyDisk
    ) {
        guard let kernel = file.pointee.pMethods else { return }
        let table = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 2)
        (table + 1).initialize(to: kernel.pointee)
        table.initialize(to: kernel.pointee)
        table.pointee.xClose = { file in
            guard let file, let table = UnsafeMutablePointer(mutating: file.pointee.pMethods) else { return SQLITE_OK }
            FaultyDisk.current?.closed(file)
            let code = (table + 1).pointee.xClose(file)
            table.deallocate()
            return code
        }
        table.pointee.xWrite = { file, bytes, count, offset in
            guard let file, let bytes, let kernel = file.pointee.pMethods.map({ $0 + 1 }) else { return SQLITE_MISUSE }
            let fault = FaultyDisk.current?.failure(.write)
            if let fault, !fault.isTorn { return fault.code }
            let written = fault == nil ? count : count / 2
            let code = kernel.pointee.xWrite(file, bytes, written, offset)
            let copy = Array(UnsafeRawBufferPointer(start: bytes, count: Int(written)))
            FaultyDisk.current?.wrote(copy, at: Int(offset), to: file)
            return fault?.code ?? code
        }
        table.pointee.xTruncate = { file, size in
            guard let file, let kernel = file.pointee.pMethods.map({ $0 + 1 }) else { return SQLITE_MISUSE }
            if let fault = FaultyDisk.current?.failure(.truncate) { return fault.code }
            FaultyDisk.current?.cut(file, to: Int(size))
            return kernel.pointee.xTruncate(file, size)
        }
        table.pointee.xSync = { file, flags in
            guard let file else { return SQLITE_MISUSE }
            // Not made for real: no test pulls the plug.
            let fault = FaultyDisk.current?.failure(.sync)
            FaultyDisk.current?.synced(file, well: fault == nil)
            return fault?.code ?? SQLITE_OK
        }
        file.pointee.pMethods = UnsafePointer(table)
        disk.opened(file, String(cString: name))
    }
}
