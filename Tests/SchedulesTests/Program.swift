import Foundation

/// A program of the machine that serves as an oracle.
struct Program {
    var path: String

    init(_ path: String) {
        self.path = path
    }

    var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: path) }

    /// What it prints, with UTC as the machine's zone, and its exit status.
    func output(_ arguments: [String]) throws -> (text: String, status: Int32) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ["TZ": "UTC", "LC_ALL": "C", "SYSTEMD_COLORS": "0"]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (String(decoding: data, as: UTF8.self), process.terminationStatus)
    }
}
