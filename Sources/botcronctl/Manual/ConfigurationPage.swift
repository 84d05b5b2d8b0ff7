import Configuration

/// botcron.json(5), from the tables of keys.
enum ConfigurationPage {
    static var roff: Roff {
        var page = ManualPage.configuration.head
        page.name(["botcron.json"], "the configuration of BotCron")
        page.section("SYNOPSIS")
        page.text("$XDG_CONFIG_HOME/aa-workflow/config.json\n\n~/.config/aa-workflow/config.json")
        page.section("DESCRIPTION")
        page.text(
            """
            botcrond(8) reads the section "schedules" of this file, and leaves the other sections alone. A change is taken
            up within a second, by difference: jobs that did not change keep their state and their processes.
            "botcronctl validate" checks a file before the daemon sees it.

            A duration is a number of seconds, or a text such as 90s, 15m, "1 day" or 1h30m. An instant is RFC 3339, with
            the offset or in the zone of the job. A key whose value is null is as one that is not given.
            """)
        page.section("KEYS")
        for table in DocumentedKeys.all {
            page.subsection(table.title)
            if !table.introduction.isEmpty { page.text(table.introduction) }
            for key in table.keys { add(key, to: &page) }
        }
        page.section("EXAMPLES")
        page.text("Jobs of three kinds:")
        page.example(example.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
        page.section("SEE ALSO")
        page.text(ManualPage.configuration.seeAlso(["systemd.time(7)", "crontab(5)"]))
        return page
    }

    private static func add(_ key: DocumentedKey, to page: inout Roff) {
        var text = key.meaning
        if let standard = key.standard { text += " Default: \(standard)." }
        if !key.older.isEmpty { text += " Also spelt \(key.older.joined(separator: ", "))." }
        page.item(key.name, text)
        if let example = key.example { page.indented { $0.example([example]) } }
    }

    static let example = """
        {
          "schedules": {
            "timezone": "America/New_York",
            "jobs": [
              { "name": "standup", "cron": "0 9 * * MON-FRI", "command": ["notify-send", "Standup"] },
              { "name": "backup", "cron": "30 2 * * *", "command": ["rsync", "-a", "notes/", "/mnt/backup/"],
                "conditions": { "ac_power": true }, "on_failure": ["tell"] },
              { "name": "tell", "command": "logger backup failed" },
              { "name": "mail", "interval": "15m", "command": "offlineimap -o", "retry": { "max_attempts": 3 } }
            ]
          }
        }
        """
}
