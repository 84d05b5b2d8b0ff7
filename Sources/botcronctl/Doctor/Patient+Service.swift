import Glibc

/// The unit, whether it outlives the session, and whether the files of the installation fit together.
extension Patient {
    static let unit = "bot-cron.service"

    /// - Parameter isHere: whether a daemon is on the bus.
    func unitFindings(isHere: Bool) -> [Finding] {
        let query = "systemctl --user show \(Self.unit) --property=LoadState,UnitFileState,ActiveState,FragmentPath"
        guard let text = answer(query) else {
            return [
                Finding(
                    "unit", .note, "there is no user manager to ask: nothing starts the daemon but the bus, or you",
                    fix: isHere ? nil : "botcrond &")
            ]
        }
        let facts = values(text)
        let state = facts["UnitFileState"] ?? ""
        guard facts["LoadState"] == "loaded" else {
            let why = facts["LoadState"] ?? "not found"
            return [
                Finding(
                    "unit", isHere ? .warning : .bad, "the user manager does not know \(Self.unit): \(why)",
                    fix: "make install, then: systemctl --user daemon-reload")
            ]
        }
        var findings: [Finding] = []
        switch state {
        case "enabled", "static", "alias", "linked", "generated":
            findings.append(Finding("unit", .good, "\(Self.unit) is \(state): \(facts["FragmentPath"] ?? "")"))
        case "masked", "masked-runtime":
            findings.append(
                Finding("unit", .bad, "\(Self.unit) is masked", fix: "systemctl --user unmask \(Self.unit)"))
        default:
            findings.append(
                Finding(
                    "unit", .warning, "\(Self.unit) is not enabled: after the next login nothing is run",
                    fix: "systemctl --user enable --now \(Self.unit)"))
        }
        switch facts["ActiveState"] {
        case "active", "activating", "reloading": break
        case "failed":
            findings.append(
                Finding(
                    "unit's daemon", .bad, "\(Self.unit) has failed",
                    fix: "journalctl --user -u bot-cron; then: systemctl --user restart \(Self.unit)"))
        default:
            findings.append(
                isHere
                    ? Finding(
                        "unit's daemon", .warning, "the daemon on this bus is not the unit's: nobody restarts it",
                        fix: "end it, then: systemctl --user start \(Self.unit)")
                    : Finding(
                        "unit's daemon", .bad, "\(Self.unit) does not run", fix: "systemctl --user start \(Self.unit)"))
        }
        return findings
    }

    func lingerFindings() -> [Finding] {
        guard let text = answer("loginctl show-user \(getuid()) --property=Linger") else { return [] }
        return values(text)["Linger"] == "yes"
            ? [Finding("linger", .good, "jobs run without a session of yours, too")]
            : [
                Finding(
                    "linger", .note, "jobs run while you are logged in, and no longer", fix: "loginctl enable-linger")
            ]
    }

    // MARK: - Leftovers

    /// What an earlier installation has left that stands in the way of this one.
    func leftoverFindings() -> [Finding] {
        let found = copyFindings() + serviceFileFindings() + oldUnitFindings() + oldStateFindings()
        return found.isEmpty ? [Finding("installation", .good, "nothing of an earlier one is in the way")] : found
    }

    private func copyFindings() -> [Finding] {
        ["botcrond", "botcronctl"].compactMap { program in
            var known: Set<String> = []
            let paths = (environment("PATH") ?? "").split(separator: ":").map { "\($0)/\(program)" }.filter { path in
                isProgram(path) && identity(path).map { known.insert($0).inserted } ?? false
            }
            guard paths.count > 1 else { return nil }
            return Finding(
                "second copy", .warning, "\(program) is there more than once: \(paths.joined(separator: ", "))",
                fix: "remove the older one: \(paths[0]) is what a shell starts")
        }
    }

    private var dataFolders: [String] {
        let shared = environment("XDG_DATA_DIRS").flatMap { $0.isEmpty ? nil : $0 } ?? "/usr/local/share:/usr/share"
        return [folder("XDG_DATA_HOME", standard: ".local/share")]
            + shared.split(separator: ":").map { root + $0 }
    }

    /// Files by which the bus would start a daemon that is not there.
    private func serviceFileFindings() -> [Finding] {
        let folders = dataFolders.map { $0 + "/dbus-1/services" }
        var findings: [Finding] = []
        for path in folders.flatMap({ folder in names(in: folder).map { "\(folder)/\($0)" } })
        where path.hasSuffix(".service") {
            let values = values(text(path) ?? "")
            guard values["Name"] == "com.aiworkflow.BotCron" else { continue }
            let program = values["Exec"]?.split(separator: " ").first.map(String.init) ?? ""
            guard !isProgram(program) else { continue }
            findings.append(
                Finding(
                    "D-Bus service file", .warning, "\(path) would start \(program), which is not there",
                    fix: "rm \(path)"))
        }
        return findings
    }

    /// Units that would start another daemon for the same name, or one that is not there any more.
    private func oldUnitFindings() -> [Finding] {
        let folders =
            [folder("XDG_CONFIG_HOME", standard: ".config") + "/systemd/user"]
            + dataFolders.map { $0 + "/systemd/user" }
            + ["/etc/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user"].map { root + $0 }
        var findings: [Finding] = []
        for path in folders.flatMap({ folder in names(in: folder).map { "\(folder)/\($0)" } })
        where path.hasSuffix(".service") {
            let values = values(text(path) ?? "")
            let name = path.split(separator: "/").last.map(String.init) ?? path
            guard values["BusName"] == "com.aiworkflow.BotCron" || name == Self.unit else { continue }
            let command = values["ExecStart"] ?? ""
            let program = command.split(separator: " ").first.map { String($0.drop { "-@:+!".contains($0) }) } ?? ""
            if !program.hasSuffix("/botcrond") {
                findings.append(
                    Finding(
                        "old unit", .warning, "\(path) starts another daemon for the same name: \(command)",
                        fix: "systemctl --user disable --now \(name); rm \(path)"))
            } else if !isProgram(program) {
                findings.append(
                    Finding(
                        "old unit", .warning, "\(path) would start \(program), which is not there",
                        fix: "rm \(path); systemctl --user daemon-reload"))
            }
        }
        return findings
    }

    /// What nobody reads any more once its runs have been taken over.
    private func oldStateFindings() -> [Finding] {
        let path = folder("XDG_CONFIG_HOME", standard: ".config") + "/aa-workflow/cron_history.json"
        guard isThere(path) else { return [] }
        return [
            Finding(
                "old history", .note, "\(path) is of an older program; what it holds is in botcronctl history",
                fix: "rm \(path), when history shows its runs")
        ]
    }
}
