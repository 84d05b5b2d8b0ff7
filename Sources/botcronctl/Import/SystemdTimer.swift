import JSON

/// Reads timers of systemd with the services that they start.
///
/// A timer's job starts its unit through the user's manager and waits for its end; so everything that the service says
/// holds. Where the service does nothing but run a program, the job runs that.
///
/// Sources: systemd.timer(5), systemd.time(7), systemd.unit(5).
struct SystemdTimer {
    private let unit: UnitFile
    private let services: [UnitFile]
    private var differences: [String] = []

    /// - Parameter units: timers, and of their services those that are at hand.
    static func read(_ units: [UnitFile]) -> ImportedText {
        var imported = ImportedText()
        let services = units.filter { !$0.name.hasSuffix(".timer") }
        var started: Set<String> = []
        for unit in units where unit.name.hasSuffix(".timer") {
            var timer = SystemdTimer(unit: unit, services: services)
            do throws(Reason) {
                let job = try timer.job()
                imported.entries.append(timer.entry(.taken(job)))
            } catch {
                imported.entries.append(timer.entry(.notTaken(reason: error.sentence)))
            }
            started.insert(timer.target)
            imported.entries += unit.strayLines.map { line in
                ImportEntry(
                    place: "\(unit.name), line \(line)", text: "", fate: .notTaken(reason: "it is no KEY=VALUE"))
            }
        }
        for service in services {
            let isStarted = started.contains(service.name)
            imported.entries.append(
                ImportEntry(
                    place: service.name, text: service.values("ExecStart", in: "Service").joined(separator: "; "),
                    fate: isStarted
                        ? .noted("it is what the timer starts")
                        : .notTaken(reason: "no timer starts it: a job has to say when it runs")))
        }
        if imported.entries.contains(where: { $0.job != nil }) {
            imported.remarks = [
                "A timer goes on beside its job until: systemctl --user disable --now NAME.timer"
                    + " (without --user where it is the system's)",
                "Who cancels a run ends the waiting alone: the unit goes on until systemctl --user stop UNIT",
                "What [Install] says has no part in it: a job is in force at once, and whenever BotCron runs.",
                "A fire time that the clock skips is left out, as systemd does (dst.gap is skip).",
            ]
        }
        return imported
    }

    private init(unit: UnitFile, services: [UnitFile]) { (self.unit, self.services) = (unit, services) }

    private func entry(_ fate: ImportEntry.Fate) -> ImportEntry {
        let text = unit.settings.filter { $0.section == "Timer" }.map { "\($0.key)=\($0.value)" }
        return ImportEntry(place: unit.name, text: text.joined(separator: "; "), fate: fate)
    }

    private struct Reason: Error {
        var sentence: String
    }

    private func value(_ key: String) -> String? { unit.value(key, in: "Timer") }

    /// The unit that the timer starts.
    private var target: String { value("Unit") ?? String(unit.name.dropLast(".timer".count)) + ".service" }

    private var service: UnitFile? { services.first { $0.name == target } }

    /// Whether it is a unit of the system's manager, which no user's manager knows.
    private var isOfSystem: Bool {
        ["/etc/systemd/system/", "/run/systemd/system/", "/usr/lib/systemd/system/", "/lib/systemd/system/"]
            .contains { unit.path.hasPrefix($0) }
    }

    // MARK: - The job

    private mutating func job() throws(Reason) -> ImportedJob {
        guard !unit.name.hasSuffix("@.timer") else {
            throw Reason(sentence: "it is a template; its instances, such as \(example), can be taken")
        }
        guard target != "-.service" else {
            throw Reason(
                sentence: "what it starts is known by its name alone: give the file, or what systemctl cat prints")
        }
        guard !target.contains("%") else { throw Reason(sentence: "Unit=\(target): only systemd can fill that in") }
        let schedules = try schedules()
        var definition: JSONObject = [
            "title": .optional(unit.value("Description", in: "Unit") ?? service?.value("Description", in: "Unit")),
            "description": documentation, "tags": [.string(ImportFormat.systemd.rawValue)],
        ]
        if schedules.count == 1 {
            for (key, value) in schedules[0] { definition[key] = value }
        } else {
            definition["schedules"] = .array(schedules.map { .object($0) })
        }
        definition["timezone"] = "local"
        if schedules.contains(where: { $0["calendar"] != nil }) { definition["dst"] = ["gap": "skip"] }
        try setDelay(&definition)
        setCommand(&definition)
        setConditions(&definition)
        definition["timeout"] = 0
        definition["retry"] = false
        if unit.flag("Persistent", in: "Timer") {
            definition["catchup_policy"] = "latest"
            definition["catchup_window"] = .string(Self.catchUpWindow)
        } else {
            definition["catchup_policy"] = "none"
        }
        if unit.flag("WakeSystem", in: "Timer") { definition["wake_system"] = true }
        noteOthers(hasCalendar: definition["dst"] != nil)
        return ImportedJob(
            name: JobNaming.cleaned(unit.name.dropLast(".timer".count)) ?? "job",
            definition: Crontab.withoutGaps(definition), differences: differences)
    }

    /// What a timer is called that came without a name.
    static let unnamed = "-.timer"

    /// However long ago it was, systemd catches up: of what is of the calendar each year has its own.
    static let catchUpWindow = "366d"

    private var example: String { String(unit.name.dropLast("@.timer".count)) + "@NAME.timer" }

    private var documentation: JSONValue {
        let pages = unit.values("Documentation", in: "Unit")
        return pages.isEmpty ? nil : .string("Documentation: " + pages.joined(separator: " "))
    }

    // MARK: - When

    private mutating func schedules() throws(Reason) -> [JSONObject] {
        var schedules: [JSONObject] = unit.values("OnCalendar", in: "Timer").map { ["calendar": .string($0)] }
        for event in unit.values("OnCalendar", in: "Timer") where Self.repeatsWithinDay(event) {
            differences.append("OnCalendar=\(event): it runs again in an hour that the clock repeats; systemd does not")
        }
        for key in ["OnBootSec", "OnStartupSec", "OnActiveSec"] {
            for text in unit.values(key, in: "Timer") {
                _ = try span(text, key)
                if !schedules.contains(["cron": "@reboot"]) { schedules.append(["cron": "@reboot"]) }
                differences.append("\(key)=\(text): it runs when BotCron first starts after a boot, without that delay")
            }
        }
        for key in ["OnUnitActiveSec", "OnUnitInactiveSec"] {
            for text in unit.values(key, in: "Timer") {
                let span = try span(text, key)
                guard span.microseconds >= 1_000_000 else {
                    throw Reason(sentence: "\(key)=\(text): an interval is a second or longer")
                }
                schedules.append(["interval": .string(span.text)])
                let since = key == "OnUnitActiveSec" ? "last start" : "last end"
                differences.append("\(key)=\(text): it counts from the import on, in systemd from the unit's \(since)")
            }
        }
        for key in ["OnClockChange", "OnTimezoneChange"] where unit.flag(key, in: "Timer") {
            differences.append("\(key)=yes: a clock that is set starts nothing here")
        }
        guard !schedules.isEmpty else { throw Reason(sentence: "[Timer] does not say when: no On… is given") }
        return schedules
    }

    private func span(_ text: String, _ key: String) throws(Reason) -> SystemdSpan {
        guard let span = SystemdSpan(text) else {
            throw Reason(sentence: "\(key)=\(text) is no length of time that ends")
        }
        return span
    }

    /// Whether its time of day is a rhythm: the only events whose days of a clock change differ.
    static func repeatsWithinDay(_ event: String) -> Bool {
        let words = event.split(separator: " ")
        if words.contains(where: { ["hourly", "minutely"].contains($0.lowercased()) }) { return true }
        return words.contains { $0.contains(":") && ($0.contains("*") || $0.contains("/")) }
    }

    private mutating func setDelay(_ definition: inout JSONObject) throws(Reason) {
        guard let text = value("RandomizedDelaySec") else { return }
        let span = try span(text, "RandomizedDelaySec")
        guard span.microseconds > 0 else { return }
        definition["jitter"] = .string(span.text)
        let isFixed = unit.flag("FixedRandomDelay", in: "Timer")
        differences.append(
            "RandomizedDelaySec=\(text): a fire time always has the same delay; systemd "
                + (isFixed ? "has one for all of them" : "draws a new one each time"))
    }

    // MARK: - What

    private mutating func setCommand(_ definition: inout JSONObject) {
        if !isOfSystem, let service, let plain = SystemdService(service) {
            definition["command"] = .array(plain.arguments.map { .string($0) })
            definition["working_directory"] = .optional(plain.workingDirectory)
            if !plain.environment.isEmpty {
                definition["environment"] = .object(
                    JSONObject(plain.environment.map { ($0.name, JSONValue.string($0.value)) }))
            }
            return
        }
        if isOfSystem {
            definition["command"] = ["systemctl", "start", "--wait", .string(target)]
            differences.append("\(target) is the system's: root may start it, others where polkit lets them")
        } else {
            definition["command"] = ["systemctl", "--user", "start", "--wait", .string(target)]
        }
        if service?.flag("RemainAfterExit", in: "Service") == true {
            differences.append("RemainAfterExit=yes: the run goes on as long as the unit counts as active")
        }
        if service == nil {
            differences.append("\(target) was not at hand: it is started by its name, unseen")
        }
    }

    /// What the timer itself asks for. What the service asks for is systemd's to see to.
    private mutating func setConditions(_ definition: inout JSONObject) {
        var conditions: JSONObject = [:]
        for setting in unit.settings where setting.section == "Unit" {
            let text = "\(setting.key)=\(setting.value)"
            switch setting.key {
            case "Description", "Documentation": continue
            case "ConditionACPower" where ["true", "yes", "1", "on"].contains(setting.value.lowercased()):
                conditions["ac_power"] = true
            case "ConditionPathExists" where setting.value.hasPrefix("/") && !setting.value.contains("%"):
                conditions["path_exists"] = .string(setting.value)
            case _ where setting.key.hasPrefix("Condition") || setting.key.hasPrefix("Assert"):
                differences.append("\(text) of the timer is not looked at")
                continue
            default:
                differences.append("\(text): what is between units is systemd's, and the job does not know it")
                continue
            }
            differences.append("\(text): each run waits for it, up to an hour; systemd looks when the timer starts")
        }
        if !conditions.isEmpty { definition["conditions"] = .object(conditions) }
    }

    // MARK: - The rest

    private static let understood: Set<String> = [
        "OnCalendar", "OnBootSec", "OnStartupSec", "OnActiveSec", "OnUnitActiveSec", "OnUnitInactiveSec",
        "OnClockChange", "OnTimezoneChange", "Persistent", "RandomizedDelaySec", "FixedRandomDelay", "WakeSystem",
        "Unit",
    ]

    private mutating func noteOthers(hasCalendar: Bool) {
        if hasCalendar, !unit.flag("Persistent", in: "Timer") {
            differences.append("what falls due in a sleep is not run later; systemd runs it once at the wake-up")
        }
        for setting in unit.settings where setting.section == "Timer" && !Self.understood.contains(setting.key) {
            let text = "\(setting.key)=\(setting.value)"
            switch setting.key {
            case "AccuracySec": differences.append("\(text): it is on time to the second")
            case "RemainAfterElapse": continue
            default: differences.append("\(text) is not understood, and has no effect")
            }
        }
        for setting in unit.settings where !["Unit", "Timer", "Install"].contains(setting.section) {
            differences.append(
                "[\(setting.section)] \(setting.key)=\(setting.value) is not understood, and has no effect")
        }
    }
}
