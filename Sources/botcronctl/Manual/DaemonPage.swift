import Contract

/// botcrond(8), from the table of its options.
enum DaemonPage {
    static var roff: Roff {
        var page = ManualPage.daemon.head
        page.name(["botcrond"], "the daemon that keeps a user's jobs on time")
        page.section("SYNOPSIS")
        page.text("botcrond [OPTION…]")
        page.section("DESCRIPTION")
        page.text(
            DaemonCommandLine.summary + "\n\n" + """
                It runs as you, and needs neither root nor a desktop. The jobs are defined in config.json, see
                botcron.json(5), or over the bus, see com.aiworkflow.BotCron(5); botcronctl(1) is for people.

                A job runs under a supervisor of its own, which keeps the process, its output and its exit status. So jobs
                live on when the daemon is restarted, upgraded or killed, and the next daemon takes them over. What became
                of them is in a store that survives a crash.

                The daemon starts whatever config.json says: where it cannot be read, the last good one stays in force.
                A bad job is listed with its error, and the others run.
                """)
        page.section("OPTIONS")
        for option in DaemonCommandLine.settings { add(option, to: &page) }
        page.text("In place of running:")
        for option in DaemonCommandLine.questions { add(option, to: &page) }
        page.section("EXIT STATUS")
        for row in DaemonCommandLine.exitCodes { page.item("\(row.code)", sentence(row.meaning)) }
        page.section("SIGNALS")
        for row in signals { page.item(row.name, row.meaning) }
        page.section("FILES")
        for row in files { page.item(row.name, row.meaning) }
        page.examples(examples)
        page.section("SEE ALSO")
        page.text(ManualPage.daemon.seeAlso(["systemctl(1)", "journalctl(1)", "loginctl(1)"]))
        return page
    }

    private static func add(_ option: DaemonCommandLine.Option, to page: inout Roff) {
        page.item(option.name + (option.value.map { " " + $0 } ?? ""), option.summary)
    }

    private static func sentence(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() + "." }

    private static let signals: [(name: String, meaning: String)] = [
        ("SIGTERM, SIGINT", "It stops in good order; what runs goes on, but where on_stop of a job says otherwise."),
        ("SIGHUP", "It reads the configuration again; botcronctl reload answers when that is done."),
    ]

    private static let files: [(name: String, meaning: String)] = [
        ("$XDG_CONFIG_HOME/aa-workflow/config.json", "The configuration; below ~/.config without the variable."),
        ("$XDG_CONFIG_HOME/aa-workflow/state.json", "Overrides of enabled, written by the daemon and by others."),
        ("$XDG_CONFIG_HOME/aa-workflow/cron_state.json", "A mirror of the state for other programs; never read."),
        ("$XDG_STATE_HOME/aa-workflow/botcron.db", "The store; below ~/.local/state without the variable."),
        ("$XDG_STATE_HOME/aa-workflow/runs/", "The output of runs."),
    ]

    static let examples = [
        ManualExample("The jobs of the configuration, without a daemon:", "botcrond --list-jobs"),
        ManualExample("How the running daemon is:", "botcrond --status"),
        ManualExample("The daemon that runs is to stop:", "botcrond --stop"),
    ]
}
