import Contract
import Glibc

/// What other programs print and read. Each command is for a shell, and made of words of ours alone.
enum ProgramText {
    static func output(of command: String, named name: String) throws(Failure) -> [UInt8] {
        guard let stream = popen(command, "re") else { throw .broken("cannot start \(name)") }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&buffer, 1, buffer.count, stream)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        let status = pclose(stream)
        // It has said why, on stderr.
        guard status == 0 else { throw .broken("\(name) had nothing to give") }
        return bytes
    }

    static func give(_ bytes: [UInt8], to command: String) throws(Failure) {
        let (code, isTaken) = try show(bytes, by: command)
        guard code == 0, isTaken else { throw .broken("\(command) did not take it") }
    }

    /// For a program that shows them: whoever leaves early does not want the rest.
    ///
    /// - Returns: its exit code, and whether it has read all.
    @discardableResult
    static func show(_ bytes: [UInt8], by command: String) throws(Failure) -> (code: Int32, isTaken: Bool) {
        signal(SIGPIPE, SIG_IGN)
        guard let stream = popen(command, "we") else { throw .broken("cannot start \(command)") }
        let isTaken = fwrite(bytes, 1, bytes.count, stream) == bytes.count && fflush(stream) == 0
        let status = pclose(stream)
        return (status & 0x7f == 0 ? (status >> 8) & 0xff : ExitCode.failure, isTaken)
    }
}
