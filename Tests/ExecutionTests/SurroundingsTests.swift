import EventLoop
import Execution
import Glibc
import Processes
import TestSupport
import Testing

/// What a process finds around itself: its folder, the limit on its files, its secrets.
@Suite struct SurroundingsTests {
    private let harness: Harness

    init() throws {
        harness = try Harness()
    }

    // MARK: - The folder

    /// `$PWD` and `$OLDPWD` were those of whoever had started the daemon.
    @Test func itsVariablesNameItsOwnFolder() throws {
        let link = harness.folder.path + "/link"
        try #require(symlink("/usr/bin", link) == 0)
        for folder in ["/usr", "/", link, harness.folder.path] {
            let report = try harness.run(["/usr/bin/env"]) {
                $0.workingDirectory = folder
                $0.environment["PWD"] = "/somewhere/else"
                $0.environment["OLDPWD"] = "/before"
            }
            let lines = report.text.split(separator: "\n").map(String.init)
            #expect(lines.filter { $0.hasPrefix("PWD=") } == ["PWD=\(folder)"])
            #expect(!lines.contains { $0.hasPrefix("OLDPWD=") })
        }
    }

    // MARK: - Open files

    private static func text(of path: String) -> String {
        FileDescriptor.contents(of: path, limit: 1 << 16).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    private func crowd(_ count: Int, _ script: String, raises: Bool) throws -> [AttemptFinding] {
        let folder = try ScratchFolder()
        var request = ProcessRequest(
            arguments: [
                "prlimit", "--nofile=60:4096", TestPlace.built("run-crash-child"), folder.path + "/runs",
            ]
                + Array(repeating: script, count: count), environment: Harness.path, workingDirectory: "/")
        if raises { request.environment["RAISE_OPEN_FILES"] = "1" }
        let words = folder.path + "/words"
        let output = open(words, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        try #require(output >= 0)
        request.standardOutput = output
        var parent = try Spawner.spawn(request)
        close(output)
        defer {
            parent.send(SIGKILL, to: .process)
            _ = parent.waitForExit()
        }
        let next = try Harness(folder: folder)
        // Who surveys what is just being started takes it for what a dead parent left, and ends it.
        try next.wait("that all are started") { Self.text(of: words).contains("started") }
        let expected = (0..<count).map { (run: "run-\($0)", attempt: 1) }
        var found: [AttemptFinding] = []
        try next.wait("the ends") {
            found = try next.runner.survey(expected).map(\.finding)
            let hasAll = found.allSatisfy { $0.report != nil }
            return raises
                ? hasAll
                : found.contains { $0.report != nil } && !found.contains { $0.word == "held" }
                    && found.last?.word != "gone"
        }
        return found
    }

    /// `ulimit -n 100` and 100 jobs at once: 28 runs failed.
    @Test func manyAtOnceHaveFilesEnoughAndJobsTheirOldLimit() throws {
        let found = try crowd(100, "sleep 0.2; ulimit -n", raises: true)
        #expect(found.allSatisfy { $0.report?.ending == .exited(0) })
        #expect(Set(found.compactMap { $0.report?.text }) == ["60\n"])
    }

    @Test func oneThatFindsNoFilesLeftHasNotBegun() throws {
        let found = try crowd(100, "sleep 0.2; exit 0", raises: false)
        #expect(Set(found.map(\.word)) == ["ended", "not begun"], "\(found.map(\.word))")
        #expect(
            found.allSatisfy { $0.report == nil || $0.report?.ending == .exited(0) },
            "\(found.compactMap(\.report?.ending))")
    }

    // MARK: - Secrets

    private func runner(secrets: String?, _ folder: String = "/other") throws -> Runner {
        try Runner(loop: harness.loop, folder: harness.folder.path + folder, credentialsFolder: secrets)
    }

    private func request(_ script: String) -> AttemptRequest {
        var request = harness.request(["/bin/sh", "-c", script])
        request.credentials = ["token": .contents(Array("s3cret".utf8))]
        return request
    }

    /// Without memory for them they were written to the disk, which keeps what was once on it.
    @Test(arguments: [nil, "/usr/botcron-secrets", "/proc/botcron-secrets", "/nowhere/deep/secrets"] as [String?])
    func withoutMemoryForSecretsNothingStarts(secrets: String?) throws {
        let runner = try runner(secrets: secrets)
        var report: AttemptReport?
        runner.start(request("echo ran")) { report = $0 }
        try harness.wait("the end") { report != nil }
        if let secrets { rmdir(secrets) }
        guard case .couldNotStart(let reason) = report?.ending else {
            Issue.record("it ended as \(String(describing: report?.ending))")
            return
        }
        if secrets == nil { #expect(reason.contains("XDG_RUNTIME_DIR is not set"), "\(reason)") }
        if secrets == "/usr/botcron-secrets" { #expect(reason.contains("is on a disk"), "\(reason)") }
        #expect(!reason.contains("s3cret"))
        // Nor does one that is told what to run when it is there already.
        var held: AttemptReport?
        var later = request("echo ran")
        later.run = "held"
        let attempt = runner.start(later, isGated: true) { held = $0 }
        attempt.proceed(with: later)
        try harness.wait("the end of the held one") { held != nil }
        #expect(held?.ending == report?.ending)
        if let secrets { rmdir(secrets) }
    }

    private func secretsFolder(of attempt: AttemptHandle) throws -> String {
        try harness.wait("the folder's name") { attempt.text.hasSuffix("\n") }
        let path = String(attempt.text.dropLast())
        #expect(access(path + "/token", F_OK) == 0)
        return path
    }

    /// How the run goes, or those who look after it.
    @Test(arguments: ["ends", "is cancelled", "loses its supervisor", "leaves files among them"])
    func secretsGoWithTheRun(how: String) throws {
        let extra = "mkdir -p deep/deeper; : > deep/deeper/file; ln -s /usr/bin link; chmod 500 deep;"
        let attempt = harness.start(["/bin/sh", "-c"]) {
            $0 = self.request(
                "cd $CREDENTIALS_DIRECTORY; \(how.hasPrefix("leaves") ? extra : "") pwd; "
                    + "while [ ! -e \(harness.folder.path)/go ]; do sleep 0.01; done")
            $0.run = "secret"
        }
        let path = try secretsFolder(of: attempt)
        switch how {
        case "is cancelled": attempt.cancel()
        case "loses its supervisor": Glibc.kill(try #require(attempt.supervisorPID), SIGKILL)
        default: try harness.folder.write("", to: "go")
        }
        try harness.wait("the end") { !harness.reports.isEmpty }
        #expect(access(path, F_OK) != 0)
    }

    /// Daemon and supervisor were killed, and the secrets lay there for as long as the session.
    @Test func theStartSweepsWhatNobodyHolds() throws {
        let first = try runner(secrets: Harness.secretsFolder)
        let other = try runner(secrets: Harness.secretsFolder, "/third")
        var reportCount = 0
        func start(_ run: String, _ runner: Runner) throws -> (AttemptHandle, String) {
            var request = request("cd $CREDENTIALS_DIRECTORY; pwd; exec sleep 1000")
            request.run = run
            let attempt = runner.start(request) { _ in reportCount += 1 }
            return (attempt, try secretsFolder(of: attempt))
        }
        let (living, livingPath) = try start("living", first)
        let (_, otherPath) = try start("other", other)
        // What a killed pair left; the supervisor of another daemon is not asked for.
        let leftPath = livingPath.replacing("living", with: "left")
        try #require(mkdir(leftPath, 0o700) == 0)
        close(open(leftPath + "/token", O_WRONLY | O_CREAT | O_CLOEXEC, 0o400))
        let next = try runner(secrets: Harness.secretsFolder)
        next.sweepCredentials()
        #expect(access(leftPath, F_OK) != 0)
        #expect(access(livingPath + "/token", F_OK) == 0)
        #expect(access(otherPath + "/token", F_OK) == 0)
        _ = living
        for attempt in first.active + other.active { attempt.kill() }
        try harness.wait("their ends") { reportCount == 2 }
        #expect(access(livingPath, F_OK) != 0 && access(otherPath, F_OK) != 0)
    }
}
