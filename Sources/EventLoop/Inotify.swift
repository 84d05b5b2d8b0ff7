internal import CLinux
internal import Glibc

/// The watches of a loop on files and folders: one inotify(7) for all of them, and who wants to hear what of each.
///
/// Not sd-event's own: up to systemd 257 it never gets past an event that was wanted when it came, and is wanted by
/// nobody when it is read (github.com/systemd/systemd/issues/38265).
///
/// The kernel has one watch for a file, whatever the number of those who look at it. It is told of all that any of them
/// wants, and of less when one of them goes: what nobody wants wakes nobody.
final class Inotify {
    /// So much is read in a turn: some hundred events at most, and one at least, however long its name.
    private static let bufferBytes = 4096

    private let descriptor: Int32
    private var reading: IOSource?
    private var watches: [Int32: Watch] = [:]

    private struct Watch {
        /// What the kernel tells of.
        var mask: UInt32
        var members: [Member]
    }

    private struct Member {
        let id: ObjectIdentifier
        /// Gone only while it is being taken out.
        weak var source: InotifySource?
    }

    init(loop: EventLoop) throws(EventLoopError) {
        descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard descriptor >= 0 else {
            throw EventLoopError(
                "watch", object: "files", code: errno,
                advice: "inotify instances left (fs.inotify.max_user_instances), and free fds")
        }
        do {
            // It ends with this object.
            reading = try loop.watch(fd: descriptor, .readable) { [unowned self] _ in read() }
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit {
        reading?.cancel()
        close(descriptor)
    }

    // MARK: - Coming and going

    /// - Returns: the number of the watch.
    func add(_ source: InotifySource) throws(EventLoopError) -> Int32 {
        let number = inotify_add_watch(descriptor, source.path, source.events.rawValue | UInt32(IN_MASK_ADD))
        guard number >= 0 else {
            throw EventLoopError(
                "watch", object: source.path, code: errno,
                advice:
                    "an existing file or folder that may be read, and inotify watches left (fs.inotify.max_user_watches)"
            )
        }
        var watch = watches[number] ?? Watch(mask: 0, members: [])
        watch.mask |= source.events.wanted
        watch.members.append(Member(id: ObjectIdentifier(source), source: source))
        watches[number] = watch
        return number
    }

    func remove(_ id: ObjectIdentifier, from number: Int32) {
        guard var watch = watches[number] else { return }
        watch.members.removeAll { $0.id == id }
        guard let other = watch.members.lazy.compactMap(\.source).first else {
            watches[number] = nil
            inotify_rm_watch(descriptor, number)
            return
        }
        let mask = watch.members.reduce(0) { $0 | ($1.source?.events.wanted ?? 0) }
        if mask != watch.mask, narrow(number, to: mask, by: other) { watch.mask = mask }
        watches[number] = watch
    }

    /// A watch is narrowed by the path of one who stays.
    private func narrow(_ number: Int32, to mask: UInt32, by source: InotifySource) -> Bool {
        let found = inotify_add_watch(descriptor, source.path, mask | source.events.flags)
        guard found != number, found >= 0 else { return found == number }
        // The path names another file by now, whose watch is as it was.
        if let watch = watches[found] {
            inotify_add_watch(descriptor, source.path, watch.mask | UInt32(IN_MASK_ADD))
        } else {
            inotify_rm_watch(descriptor, found)
        }
        return false
    }

    // MARK: - What happened

    private func read() {
        var buffer = [UInt8](repeating: 0, count: Self.bufferBytes)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        guard count > 0 else { return }
        // Whoever is told may drop the last source, and this object with it.
        withExtendedLifetime(self) {
            buffer.withUnsafeBytes { bytes in
                var rest = UnsafeRawBufferPointer(rebasing: bytes[..<count])
                while let event = rest.loadEvent() { tell(event.number, event.event) }
            }
        }
    }

    private func tell(_ number: Int32, _ event: FileEvent) {
        // Lost events may have been anybody's.
        let members = event.events.contains(.overflow) ? watches.values.flatMap(\.members) : watches[number]?.members
        if event.events.contains(.ended) {
            watches[number] = nil
            for member in members ?? [] { member.source?.watchEnded() }
        }
        // Those who come or go meanwhile are not told, or not any more.
        for member in members ?? [] { member.source?.hear(event) }
    }
}

extension UnsafeRawBufferPointer {
    /// Takes the next event; nil at the end. The kernel writes whole ones.
    fileprivate mutating func loadEvent() -> (number: Int32, event: FileEvent)? {
        let headBytes = MemoryLayout<inotify_event>.size
        guard count >= headBytes else { return nil }
        let head = loadUnaligned(as: inotify_event.self)
        guard count >= headBytes + Int(head.len) else { return nil }
        // The name follows, padded with NULs to `len`.
        let name = self[headBytes..<headBytes + Int(head.len)].prefix { $0 != 0 }
        self = UnsafeRawBufferPointer(rebasing: self[(headBytes + Int(head.len))...])
        return (
            head.wd,
            FileEvent(events: FileEvents(rawValue: head.mask), name: String(decoding: name, as: UTF8.self))
        )
    }
}
