import Glibc
import TestSupport
import Testing

@testable import botcronctl

/// The files that are installed around the programs.
@Suite struct PackagingTests {
    private let unit: String
    private let activation: String

    init() throws {
        unit = try TestFile.ownText(TestPlace.package + "/systemd/bot-cron.service")
        activation = try TestFile.ownText(TestPlace.package + "/dbus/com.aiworkflow.BotCron.service")
    }

    @Test func theUnitIsWhatClientsExpect() {
        for line in [
            "Type=notify", "BusName=com.aiworkflow.BotCron", "Restart=on-failure", "RestartPreventExitStatus=64 73",
            "KillMode=process", "OOMPolicy=continue", "WantedBy=default.target",
        ] {
            #expect(unit.split(separator: "\n").contains(Substring(line)), "\(line)")
        }
        #expect(unit.contains("WatchdogSec="))
    }

    @Test func theBusStartsTheUnit() {
        #expect(activation.contains("Name=com.aiworkflow.BotCron\n"))
        #expect(activation.contains("SystemdService=bot-cron.service\n"))
    }

    /// In a folder of its own, with the programs where the unit says that they are.
    @Test func theInstalledUnitIsCleanForSystemd() throws {
        let stage = try Stage(nil)
        let prefix = stage.path("prefix")
        let sed = "s|/usr/local|\(prefix)|g"
        system(
            """
            mkdir -p '\(prefix)/bin' && ln -s /bin/true '\(prefix)/bin/botcrond' && \
            ln -s /bin/true '\(prefix)/bin/botcronctl' && chmod 700 '\(stage.folder)' && \
            sed '\(sed)' '\(TestPlace.package)/systemd/bot-cron.service' > '\(prefix)/bot-cron.service'
            """)
        // It looks for the pages that the unit names.
        for page in [ManualPage.tool, .daemon] {
            let source = try stage.control("man", "--roff", page.rawValue).output
            let folder = "man/man\(page.section)"
            _ = try stage.shell("mkdir -p '\(stage.path(folder))'")
            try stage.write(source, to: "\(folder)/\(page.file)")
        }
        let outcome = try TestProgram(
            ["systemd-analyze", "verify", "--user", "\(prefix)/bot-cron.service"],
            environment: stage.environment + ["XDG_RUNTIME_DIR=\(stage.folder)", "MANPATH=\(stage.path("man"))"]
        ).finish()
        #expect(outcome == TestProgram.Outcome(code: 0, output: "", errors: ""))
    }
}
