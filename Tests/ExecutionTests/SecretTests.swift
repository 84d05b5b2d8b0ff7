import Execution
import Glibc
import Processes
import TestSupport
import Testing

/// Credentials that come from the session's secret service: a real keyring, unlocked on a bus of its own; what no
/// keyring does at will is done by a program that stands in for secret-tool.
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

    @Test(.enabled(if: hasKeyring, "no gnome-keyring or libsecret-tools here"))
    func aKeyringGivesItToTheRunAlone() throws {
        let script = """
            printf password | gnome-keyring-daemon --unlock --components=secrets >/dev/null
            printf 's3cret' | secret-tool store --label=test botcron token && echo $DBUS_SESSION_BUS_ADDRESS
            exec sleep 1000
            """
        let pipe = try Pipe()
        var keyring = ProcessRequest(
            arguments: ["dbus-run-session", "--", "sh", "-c", script],
            environment: Harness.path.merging(
                ["HOME": harness.folder.path, "XDG_RUNTIME_DIR": harness.folder.path]) { $1 },
            workingDirectory: "/")
        keyring.standardOutput = pipe.writeEnd.number
        var session = try Spawner.spawn(keyring)
        defer {
            session.send(SIGKILL, to: .group)
            _ = session.waitForExit()
        }
        var buffer = [UInt8](repeating: 0, count: 4096)
        var address = ""
        try harness.wait("the keyring") {
            guard case .bytes(let count) = buffer.withUnsafeMutableBytes({ pipe.readEnd.read(into: $0) }) else {
                return false
            }
            address += String(decoding: buffer[..<count], as: UTF8.self)
            return address.hasSuffix("\n")
        }
        address.removeLast()
        let report = try harness.runScript("cat $CREDENTIALS_DIRECTORY/token; env") {
            $0.credentials = ["token": .secret(["botcron", "token"])]
            $0.environment["DBUS_SESSION_BUS_ADDRESS"] = address
        }
        #expect(report.text.hasPrefix("s3cret"), "\(report)")
        #expect(!report.text.dropFirst(6).contains("s3cret"), "the environment has it")
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

private let hasKeyring =
    access("/usr/bin/gnome-keyring-daemon", X_OK) == 0 && access("/usr/bin/secret-tool", X_OK) == 0
