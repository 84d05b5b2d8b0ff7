internal import CLinux
internal import Glibc

/// Reads what nobody asks for any more, so that whoever writes it may go on.
///
/// A process that a job leaves behind has the run's pipe as its output, and perhaps the context socket. With nobody at
/// the other end its next word would be its last (SIGPIPE), and with nobody who reads it would wait for ever once the
/// pipe is full. The pipe cannot be passed on to somebody else, and output by way of a file would have no bound; so a
/// copy of the supervisor stays, holds nothing but these ends, and goes with the last that writes. Where nobody was
/// left behind there is none.
public enum OutputDrain {
    /// Whether somebody else has the other end of this pipe or socket.
    public static func hasWriters(_ number: Int32) -> Bool {
        var entry = pollfd(fd: number, events: 0, revents: 0)
        return poll(&entry, 1, 0) >= 0 && entry.revents & Int16(POLLHUP | POLLERR | POLLNVAL) == 0
    }

    /// Leaves a copy of this process behind that reads from these until there is nobody who writes. For programs with
    /// one thread. Where there can be no copy, nobody reads.
    public static func leave(at numbers: [Int32]) {
        guard !numbers.isEmpty, bc_fork() == 0 else { return }
        // Nothing of the attempt is kept busy: not its folder, nor its session, nor any other fd.
        setsid()
        chdir("/")
        let first: Int32 = 3
        let end = first + Int32(numbers.count)
        let copies = numbers.map { fcntl($0, F_DUPFD, end) }
        for (index, copy) in copies.enumerated() { dup2(copy, first + Int32(index)) }
        closefrom(end)
        releaseIdleMemory()
        readToEnd(first..<end)
        _exit(0)
    }

    private static func readToEnd(_ numbers: Range<Int32>) {
        var entries = numbers.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: OutputBounds.readLimit, alignment: 16)
        defer { buffer.deallocate() }
        while entries.contains(where: { $0.fd >= 0 }) {
            guard poll(&entries, nfds_t(entries.count), -1) > 0 else { continue }
            for index in entries.indices where entries[index].revents != 0 {
                let count = read(entries[index].fd, buffer.baseAddress, buffer.count)
                let code = errno
                // poll(2) passes over what is negative.
                if count == 0 || (count < 0 && code != EAGAIN && code != EINTR) { entries[index].fd = -1 }
            }
        }
    }
}
