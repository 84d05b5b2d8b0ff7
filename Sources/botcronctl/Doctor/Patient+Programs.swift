import Configuration
import JSON
import Scheduling

/// Whether what jobs run is found by the daemon, and who is told of them.
extension Patient {
    /// The PATH that the user manager gives to the daemon at its next start; nil where it does not say.
    private var managersPath: String? {
        answer("systemctl --user show-environment").flatMap { values($0)["PATH"] }
    }

    /// - Parameter pid: of the daemon, where one runs.
    func pathOfDaemon(pid: UInt32?) -> String? {
        guard let pid, let bytes = beginning(of: "/proc/\(pid)/environ", bytesMax: 1 << 20) else { return nil }
        let line = bytes.split(separator: 0).first { $0.starts(with: Array("PATH=".utf8)) }
        return line.map { String(decoding: $0.dropFirst(5), as: UTF8.self) }
    }

    func pathFindings(pid: UInt32?) -> [Finding] {
        guard let own = environment("PATH"), let path = managersPath ?? pathOfDaemon(pid: pid) else { return [] }
        let known = Set(path.split(separator: ":"))
        var missing: [Substring] = []
        for folder in own.split(separator: ":") where !known.contains(folder) && !missing.contains(folder) {
            missing.append(folder)
        }
        guard !missing.isEmpty else {
            return [Finding("PATH", .good, "jobs find the programs that your shell finds")]
        }
        return [
            Finding(
                "PATH", .warning,
                "your shell looks in folders that jobs do not know: \(missing.joined(separator: ":"))",
                fix: "systemctl --user import-environment PATH && systemctl --user restart \(Self.unit)")
        ]
    }

    /// - Parameter pid: of the daemon, where one runs: it is its PATH that counts.
    func programFindings(of jobs: [Job], pid: UInt32?) -> [Finding] {
        let path = pathOfDaemon(pid: pid) ?? managersPath ?? environment("PATH") ?? ""
        var users: [String: [String]] = [:]
        for job in jobs { if let name = Self.program(of: job) { users[name, default: []].append(job.name) } }
        var found: [String] = []
        var findings: [Finding] = []
        for (name, jobs) in users.sorted(by: { $0.key < $1.key }) {
            let places = name.hasPrefix("/") ? [name] : path.split(separator: ":").map { "\($0)/\(name)" }
            if let place = places.first(where: { isProgram($0) }) {
                found.append(place)
                continue
            }
            let shown = jobs.sorted().prefix(Self.shownJobs).joined(separator: ", ")
            let rest = jobs.count > Self.shownJobs ? ", …" : ""
            let count = jobs.count > 1 ? "\(jobs.count) jobs: " : ""
            findings.append(
                Finding(
                    "program", .bad, "\(name) is not found by the daemon, and needed by \(count)\(shown)\(rest)",
                    fix: name.hasPrefix("/") ? "install it" : "install it, or add its folder to the daemon's PATH"))
        }
        if findings.isEmpty, !found.isEmpty {
            findings.append(
                Finding("programs", .good, "all are found: \(found.prefix(Self.shownPrograms).joined(separator: ", "))")
            )
        }
        return findings
    }

    private static let shownJobs = 3
    private static let shownPrograms = 6

    /// What a job starts, where that can be told; a name with a variable in it is known at the run only, and one that
    /// is relative to a folder is looked for from there.
    private static func program(of job: Job) -> String? {
        let name: String? =
            switch job.action {
            case .runner(let template): template.first
            case .command(let argv): argv.first
            case .shell: nil
            case .script(let interpreter, _, _): interpreter.first
            }
        guard let name, !name.isEmpty, !name.contains("$"), name.hasPrefix("/") || !name.contains("/") else {
            return nil
        }
        return name
    }

    /// Who is named by how many jobs.
    ///
    /// - Parameter isShown: whether a notification server is there.
    func targetFindings(of jobs: [Job], isShown: Bool) -> [Finding] {
        var users: [String: Int] = [:]
        for job in jobs {
            let entries = (try? JSONValue(parsing: job.notify))?.arrayValue ?? []
            for target in Set(entries.compactMap { $0.stringValue ?? $0["target"]?.stringValue }) {
                users[target, default: 0] += 1
            }
        }
        guard !users.isEmpty else { return [] }
        let list = users.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value))" }.joined(separator: ", ")
        let desktop = (users["desktop"] ?? 0) + (users["toast"] ?? 0)
        if desktop > 0, !isShown {
            return [
                Finding(
                    "targets", .warning,
                    "named by jobs: \(list); no notification server shows them",
                    fix: "log in to a desktop, or start a notification server")
            ]
        }
        return [Finding("targets", .note, "named by jobs: \(list)")]
    }
}
