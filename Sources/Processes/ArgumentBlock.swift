internal import CLinux
internal import Glibc

/// Texts as C wants them: an array of pointers with a null at its end, all bytes in one allocation.
struct ArgumentBlock: ~Copyable {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let bytes: UnsafeMutablePointer<CChar>
    /// What the kernel counts: the bytes, their NULs, and a pointer for each text.
    let kernelSize: Int

    /// `texts` hold no NUL: C would see them cut there.
    init(_ texts: [String]) {
        let size = texts.reduce(0) { $0 + $1.utf8.count + 1 }
        bytes = .allocate(capacity: max(1, size))
        pointers = .allocate(capacity: texts.count + 1)
        kernelSize = size + texts.count * MemoryLayout<UnsafeMutablePointer<CChar>>.size
        var next = bytes
        for (index, text) in texts.enumerated() {
            (pointers + index).initialize(to: next)
            var text = text
            let count = text.withUTF8 { utf8 in
                if let base = utf8.baseAddress {
                    memcpy(next, base, utf8.count)
                }
                return utf8.count
            }
            next[count] = 0
            next += count + 1
        }
        (pointers + texts.count).initialize(to: nil)
    }

    deinit {
        pointers.deallocate()
        bytes.deallocate()
    }
}

// MARK: - The kernel's limits

extension ArgumentBlock {
    /// One text with its NUL: `MAX_ARG_STRLEN` in the kernel, 32 pages.
    static let textLimit = 32 * sysconf(Int32(_SC_PAGESIZE))

    /// All arguments and variables together: a quarter of the stack's limit, but at least 128 KiB and at most 6 MiB
    /// (execve(2), "Limits on size of arguments and environment"; `bprm_stack_limits` in `fs/exec.c`).
    static var totalLimit: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_STACK.rawValue), &limit) == 0 else { return 128 << 10 }
        return max(128 << 10, Int(min(limit.rlim_cur / 4, 6 << 20)))
    }
}
