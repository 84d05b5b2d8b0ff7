/// The clock, its hardware, and the zones.
extension Patient {
    func clockFindings() -> [Finding] {
        var findings: [Finding] = []
        switch answer("timedatectl show --property=NTPSynchronized").flatMap({ values($0)["NTPSynchronized"] }) {
        case "yes"?: findings.append(Finding("clock", .good, "it is synchronised"))
        case "no"?:
            findings.append(
                Finding(
                    "clock", .warning, "it is not synchronised: jobs run by a clock that drifts",
                    fix: "timedatectl set-ntp true"))
        default: findings.append(Finding("clock", .note, "nobody says whether it is synchronised"))
        }
        // hwclock(8): the third line of the file.
        let lines = (text(root + "/etc/adjtime") ?? "").split(separator: "\n", omittingEmptySubsequences: false)
        if lines.count > 2, lines[2] == "LOCAL" {
            findings.append(
                Finding(
                    "hardware clock", .warning, "it holds local time: it is wrong by an hour after each change of it",
                    fix: "timedatectl set-local-rtc 0"))
        } else if !isThere(root + "/sys/class/rtc/rtc0") {
            findings.append(Finding("hardware clock", .note, "there is none: it cannot wake this machine"))
        } else {
            findings.append(Finding("hardware clock", .good, "it holds UTC"))
        }
        return findings
    }

    func zoneFindings() -> [Finding] {
        let folder = environment("TZDIR") ?? root + "/usr/share/zoneinfo"
        guard isThere(folder + "/UTC") || isThere(folder + "/Etc/UTC") else {
            return [
                Finding(
                    "zone data", .bad, "\(folder) has no zones: jobs with a timezone are refused",
                    fix: "apt install tzdata")
            ]
        }
        // tzdata.zi begins with: # version 2024a
        let first = text(folder + "/tzdata.zi")?.split(separator: "\n").first ?? ""
        let version = first.split(separator: " ").last.map { ", version \($0)" } ?? ""
        return [Finding("zone data", .good, folder + version)]
    }
}
