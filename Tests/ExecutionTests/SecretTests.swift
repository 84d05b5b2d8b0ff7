import Execution
import Glibc
import Processes
import Testing

/// Credentials that come from the session's secret service, by a program that stands in for secret-tool: a secret
/// service needs a keyring that somebody has unlocked.
@Suite struct SecretTests {
    private let harness: Harness
    private let bin: String

    init() throws {
        harness = try Harness()
        bin = harness.folder.path + "/bin"
        try #require(mkdir(bin, 0o700) == 0)
    }

    private func tool(_ script: String) throws {
        try harness.folder.write("#!/bin/sh\n\(script)\n", to: "bin/secret-tool")
        try #require(chmod(bin + "/secret-tool", 0o700) == 0)
    }

    private func runWithSecret(_ attributes: [String] = ["botcron", "token"]) throws -> AttemptReport {
        try harness.runScript("cat $CREDENTIALS_DIRECTORY/token; stat -c %a $CREDENTIALS_DIRECTORY/token") {
            $0.credentials = ["token": .secret(attributes)]
            $0.environment["PATH"] = bin + ":/usr/bin:/bin"
        }
    }

    @Test func itIsAFileForTheRunAlone() throws {
        try tool(#"test "$*" = "lookup service git user me" && printf 's3cret\n'"#)
        let report = try runWithSecret(["service", "git", "user", "me"])
        #expect(report.text == "s3cret\n400\n", "\(report)")
    }

    @Test func oneThatIsNotThereKeepsTheRunFromStarting() throws {
        try tool("exit 1")
        let report = try runWithSecret()
        guard case .couldNotStart(let reason) = report.ending else {
            Issue.record("\(report)")
            return
        }
        #expect(reason.contains("the secret with botcron token"))
        #expect(reason.contains("secret-tool store"))
    }

    @Test func withoutTheToolItSaysWhatToInstall() throws {
        let report = try harness.runScript("true") {
            $0.credentials = ["token": .secret(["botcron", "token"])]
            $0.environment["PATH"] = bin
        }
        guard case .couldNotStart(let reason) = report.ending else {
            Issue.record("\(report)")
            return
        }
        #expect(reason.contains("libsecret-tools"), "\(reason)")
    }
}
