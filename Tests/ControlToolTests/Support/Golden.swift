import Glibc
import TestSupport
import Testing

/// Compares what a program prints with a file of `Golden/`. With `UPDATE_GOLDEN=1` in the environment the file is
/// written instead, and the difference is for a person to look at.
enum Golden {
    static func expect(
        _ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let path = TestPlace.package + "/Tests/ControlToolTests/Golden/" + name
        if getenv("UPDATE_GOLDEN") != nil { return try TestFile.write(text, to: path, mode: 0o644) }
        #expect(
            try text == TestFile.ownText(path), "\(name), which UPDATE_GOLDEN=1 takes over, differs from:\n\(text)",
            sourceLocation: sourceLocation)
    }

    /// The text without what differs from one run to the next: instants, lengths of time, ids, the scratch folder.
    static func settled(_ text: String, _ stage: Stage) -> String {
        var text = text
        text = text.replacing(stage.folder, with: "FOLDER")
        text.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d/, with: "INSTANT")
        text.replace(/[A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d (UTC|[+-]\d\d:\d\d)/, with: "TIME")
        text.replace(/-\d{8}-\d{6}(-\d+)?/, with: "-STAMP")
        text.replace(/[0-9a-f]{32}/, with: "TRACE")
        text.replace(/"duration_ms": \d+/, with: "\"duration_ms\": N")
        text.replace(/"cpu_seconds": [\d.e-]+/, with: "\"cpu_seconds\": N")
        text.replace(/"memory_peak_bytes": \d+/, with: "\"memory_peak_bytes\": N")
        text.replace(/"(uptime)": [0-9.]+/) { "\"\($0.output.1)\": N" }
        text.replace(/\d\d:\d\d:\d\d/, with: "CLOCK")
        text.replace(/\d+(\.\d+)? (ms|s|min|h|d|years)\b( \d+ (s|min|h)\b)?/, with: "SPAN")
        text.replace(/, (now|SPAN ago)/, with: ", AGO")
        // What was replaced had its own width.
        text.replace(/(\S)  +/) { "\($0.output.1)  " }
        return text
    }
}
