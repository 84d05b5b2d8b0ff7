import Glibc

// Takes one request from standard input, does it, and says on standard output in one line what became of it. That is
// all: who sends again, and when, is the daemon.

// A look-up of a name that nobody can end might hold the program: so it is ended by the kernel.
alarm(UInt32(Delivery.patience + 2))
send()

func send() -> Never {
    guard let request = Request(readInput()) else {
        let text = "botcron-send: there is no request here; botcrond starts this program, one for each message\n"
        _ = write(STDERR_FILENO, text, text.utf8.count)
        exit(64)
    }
    let delivery = Delivery()
    let line = (delivery?.deliver(request) ?? .failed("there is no memory for it")).line
    _ = write(STDOUT_FILENO, line, line.utf8.count)
    // The end of a transfer may wait for a thread that looks up a name, and so may `exit`.
    withExtendedLifetime(delivery) { _exit(0) }
}

func readInput() -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
        let count = read(STDIN_FILENO, &buffer, buffer.count)
        guard count > 0 else { return bytes }
        bytes += buffer[..<count]
    }
}
