import Contract

/// botcronctl(1), from the table of verbs.
enum ToolPage {
    static var roff: Roff {
        var page = ManualPage.tool.head
        page.name(["botcronctl"], "see and control the jobs of BotCron")
        page.section("SYNOPSIS")
        page.text("botcronctl [OPTION…] [VERB] [ARGUMENT…]")
        page.section("DESCRIPTION")
        page.text(
            """
            Sees and controls the jobs of botcrond(8), the daemon that keeps them on time. Without a verb it lists them.

            It is an ordinary client of the session bus, and does nothing that another program could not do. Where no
            daemon runs, most verbs have the bus start it; those that only look do not.

            On a terminal nothing that a job or a configuration wrote can steer it. Piped, nothing is coloured or cut.
            """)
        page.section("VERBS")
        for group in Verb.groups {
            page.subsection(group.title)
            for verb in group.verbs { add(verb, to: &page) }
        }
        page.section("OPTIONS")
        page.text("They go with every verb, and stand before or after it.")
        for option in GlobalOptions.table { add(option, to: &page) }
        page.section("EXIT STATUS")
        for row in ExitCode.help { page.item(row.code, sentence(row.meaning)) }
        page.section("ENVIRONMENT")
        for row in environment { page.item(row.name, row.meaning) }
        page.section("FILES")
        for row in files { page.item(row.name, row.meaning) }
        page.examples(examples)
        page.section("SEE ALSO")
        page.text(ManualPage.tool.seeAlso(["systemd.time(7)", "busctl(1)"]))
        return page
    }

    private static func add(_ verb: Verb, to page: inout Roff) {
        page.item(verb.synopsis, sentence(verb.summary))
        page.indented { page in
            for lines in Roff.paragraphs(verb.details) {
                // What is to be typed.
                if lines.allSatisfy({ $0.hasPrefix("botcronctl ") }) {
                    page.example(lines)
                } else {
                    page.text(lines.joined(separator: "\n"))
                }
            }
            for option in verb.options { add(option, to: &page) }
        }
    }

    private static func add(_ option: Verb.Option, to page: inout Roff) {
        page.item(
            option.spellings.joined(separator: ", ") + (option.value.map { " " + $0 } ?? ""), option.summary)
    }

    private static func sentence(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() + "." }

    static let environment: [(name: String, meaning: String)] = [
        ("DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR", "Where the session bus is."),
        ("XDG_CONFIG_HOME", "Where validate and simulate look for the configuration; ~/.config without it."),
        ("VISUAL, EDITOR", "The editor of edit."),
        (
            "BOTCRONCTL_PAGER, PAGER",
            "What long answers go through on a terminal; without it less, where it is installed. cat, or nothing: none."
        ),
        ("NO_COLOR", "Anything but empty: no colour."),
        ("TZ", "The zone that times are shown in; without it the machine's."),
        (
            CompletionNames.variable,
            """
            How many milliseconds a completion may wait for the names that it asks for; \
            \(CompletionNames.limitMSecStandard) without it.
            """
        ),
    ]

    private static let files: [(name: String, meaning: String)] = [
        ("$XDG_CONFIG_HOME/aa-workflow/config.json", "The configuration, see botcron.json(5).")
    ]

    /// In this order: a later one may use what an earlier one made.
    static let examples = [
        ManualExample("A new job, every ten seconds:", "botcronctl add hello --every 10s -- echo hello"),
        ManualExample("All jobs, and when each of them is next:", "botcronctl list"),
        ManualExample("Run one now, wait for its end, and exit as it did:", "botcronctl run hello --wait"),
        ManualExample("What its latest run wrote:", "botcronctl logs hello"),
        ManualExample("What did not succeed in the last seven days:", "botcronctl history --failed --since 7d"),
        ManualExample("Why a job does not run:", "botcronctl why hello"),
        ManualExample("Its schedule is out of force until tomorrow:", "botcronctl disable hello --until tomorrow"),
        ManualExample(
            "What an expression means, and when it fires:",
            "botcronctl next '30 2 * * *' --tz America/New_York -n 3"),
        ManualExample(
            "What would run on a machine that sleeps at night:", "botcronctl simulate --asleep 23:00-07:00"),
        ManualExample("The names of all jobs, for a script:", "botcronctl list --json | grep '\"name\"'"),
        ManualExample("Completions in the running shell:", "eval \"$(botcronctl completion bash)\""),
    ]
}
