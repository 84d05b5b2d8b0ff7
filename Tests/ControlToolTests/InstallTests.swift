import Contract
import Glibc
import TestSupport
import Testing

@testable import botcronctl

/// What `make install` brings, and that `make uninstall` takes it away again.
@Suite struct InstallTests {
    private let scratch: ScratchFolder

    init() throws { scratch = try ScratchFolder("install-test") }

    private static let own = TestPlace.package + "/Sources/Share/com.aiworkflow.BotCron"

    /// With the programs as they are built for the tests.
    private func make(_ arguments: [String], path: String = "/usr/bin:/bin") throws -> TestProgram.Outcome {
        let programs = TestPlace.built("botcronctl").dropLast("/botcronctl".count)
        return try TestProgram.run(
            ["make", "-C", TestPlace.package, "BIN=\(programs)"] + arguments,
            environment: ["PATH=\(path)", "LC_ALL=C.UTF-8", "HOME=\(scratch.path)"])
    }

    /// With a `systemctl` of the test before the machine's.
    private var tools: String { "\(scratch.path)/tools:/usr/bin:/bin" }

    private func files() throws -> [String] {
        let list = try TestProgram.run(["find", scratch.path, "-type", "f", "-o", "-type", "l"])
        return list.output.split(separator: "\n").map { String($0.dropFirst(scratch.path.count)) }.sorted()
    }

    @Test(arguments: [
        ("/usr/local", "/lib/systemd/user", "/share/zsh/site-functions"),
        ("/usr", "/lib/systemd/user", "/share/zsh/vendor-completions"),
    ])
    func everyFileIsInstalledAndRemoved(prefix: String, units: String, functions: String) throws {
        let installed = try make(["install", "DESTDIR=\(scratch.path)", "PREFIX=\(prefix)"])
        #expect(installed.code == 0 && installed.errors.isEmpty, "\(installed.errors)")
        let expected =
            [
                "/bin/botcrond", "/bin/botcronctl", "/libexec/botcron/botcron-run",
                "/libexec/botcron/botcron-send", "\(units)/bot-cron.service",
                "/share/dbus-1/services/com.aiworkflow.BotCron.service", "/share/doc/bot-cron/README.md",
                "/share/doc/bot-cron/examples/config.json", "/share/applications/com.aiworkflow.BotCron.desktop",
                "/share/metainfo/com.aiworkflow.BotCron.metainfo.xml", "/lib/systemd/catalog/bot-cron.catalog",
                "/share/bash-completion/completions/botcronctl", "\(functions)/_botcronctl",
                "/share/fish/vendor_completions.d/botcronctl.fish", "/share/man/man1/botcronctl.1",
                "/share/man/man8/botcrond.8", "/share/man/man5/botcron.json.5",
                "/share/man/man5/com.aiworkflow.BotCron.5",
            ] + InterfaceDocument.names.map { "/share/dbus-1/interfaces/\($0).xml" }
        #expect(try files() == expected.map { prefix + $0 }.sorted())
        for name in ["\(units)/bot-cron.service", "/share/applications/com.aiworkflow.BotCron.desktop"] {
            let text = try TestFile.ownText(scratch.path + prefix + name)
            #expect(text.contains("=\(prefix)/bin/"), "\(name)")
            #expect(prefix == "/usr/local" || !text.contains("/usr/local"), "\(name)")
        }
        // The installed program finds the descriptions beside it.
        let page = try TestProgram.run([
            scratch.path + prefix + "/bin/botcronctl", "man", "--roff", "com.aiworkflow.BotCron",
        ])
        #expect(page.output == TestFile.text(scratch.path + prefix + "/share/man/man5/com.aiworkflow.BotCron.5"))
        #expect(page.output.contains("run_job"))
        for (shell, path) in [
            ("bash", "/share/bash-completion/completions/botcronctl"), ("zsh", "\(functions)/_botcronctl"),
            ("fish", "/share/fish/vendor_completions.d/botcronctl.fish"),
        ] {
            #expect(TestFile.text(scratch.path + prefix + path).contains("`botcronctl completion \(shell)`"))
        }

        let removed = try make(["uninstall", "DESTDIR=\(scratch.path)", "PREFIX=\(prefix)"])
        #expect(removed.code == 0 && removed.errors.isEmpty, "\(removed.errors)")
        #expect(try files() == [])
    }

    /// A manager that has the unit of this prefix, enabled and running: it is taken out of force, and that is said.
    @Test func uninstallLeavesNothingEnabledAndNothingRunningWithoutAWord() throws {
        let prefix = scratch.path + "/prefix"
        let units = prefix + "/units"
        try TestFile.makeFolder(scratch.path + "/tools")
        try TestFile.write(
            """
            #!/bin/sh
            echo "$*" >> '\(scratch.path)/calls'
            case $* in
            *FragmentPath*) echo '\(units)/bot-cron.service' ;;
            *is-enabled*) echo enabled ;;
            *is-active*) echo active ;;
            esac
            """, to: scratch.path + "/tools/systemctl", mode: 0o755)
        // One that was started by hand, from the prefix that goes.
        #expect(try make(["install", "PREFIX=\(prefix)", "UNITDIR=\(units)"]).code == 0)
        let bus = try PrivateBus()
        try TestFile.write("{}", to: scratch.path + "/config.json")
        let daemon = try TestProgram(
            [
                prefix + "/bin/botcrond", "--bus", bus.address, "--config", scratch.path + "/config.json",
                "--state-dir", scratch.path + "/state",
            ])
        _ = try daemon.errors(until: "botcrond: ready")
        let removed = try make(["uninstall", "PREFIX=\(prefix)", "UNITDIR=\(units)"], path: tools)
        #expect(removed.code == 0, "\(removed.errors)")
        #expect(removed.output.contains("bot-cron.service was enabled for "))
        #expect(removed.output.contains("bot-cron.service runs for "))
        #expect(removed.output.contains("process \(daemon.pid);"), "\(removed.output)")
        let calls = TestFile.text(scratch.path + "/calls")
        #expect(calls.contains("--user disable bot-cron.service") && calls.contains("--user stop bot-cron.service"))
        #expect(try !files().contains { $0.hasPrefix("/prefix/") })
    }

    @Test func uninstallSaysNothingOfAUnitThatIsNotItsOwn() throws {
        try TestFile.makeFolder(scratch.path + "/tools")
        try TestFile.write(
            "#!/bin/sh\ncase $* in *FragmentPath*) echo /elsewhere/bot-cron.service ;; *) exit 1 ;; esac\n",
            to: scratch.path + "/tools/systemctl", mode: 0o755)
        let prefix = scratch.path + "/prefix"
        let removed = try make(
            ["-s", "uninstall", "PREFIX=\(prefix)"], path: tools)
        #expect(removed == TestProgram.Outcome(code: 0, output: "", errors: ""))
    }

    // MARK: - What desktops read

    @Test func theDesktopFileAndTheMetadataAreValid() throws {
        let clean = TestProgram.Outcome(code: 0, output: "", errors: "")
        #expect(try TestProgram.run(["desktop-file-validate", Self.own + ".desktop"]) == clean)
        let metadata = try TestProgram.run(
            ["appstreamcli", "validate", "--no-net", "--no-color", Self.own + ".metainfo.xml"])
        #expect(metadata.code == 0, "\(metadata)")
        #expect(!metadata.output.contains("W:") && !metadata.output.contains("E:"), "\(metadata.output)")
    }

    /// The newest release comes first, and desktops show it.
    @Test func theMetadataNamesThisVersionAndThisName() throws {
        let changes = try TestFile.ownText(TestPlace.package + "/Sources/Share/debian/changelog")
        #expect(changes.hasPrefix("botcron (\(botcronVersion)) "))
        let text = try TestFile.ownText(Self.own + ".metainfo.xml")
        let release = try #require(text.firstMatch(of: /<release version="([^"]*)"/))
        #expect(String(release.output.1) == botcronVersion)
        #expect(text.contains("<id>\(Address.busName)</id>"))
        #expect(text.contains("<dbus type=\"user\">\(Address.busName)</dbus>"))
        #expect(try TestFile.ownText(Self.own + ".desktop").contains("NoDisplay=true\n"))
    }
}
