import Configuration
import Glibc
import JSON
import Schedules
import Scheduling

/// What an import reads: a file, standard input, or what the user has.
struct ImportReading {
    let format: ImportFormat
    /// For the report.
    private(set) var origin: String
    private(set) var imported: ImportedText
    /// The crontab as it was read, for who comments lines out.
    private(set) var bytes: [UInt8] = []

    private static let mine = "--mine"

    init(_ request: Request, _ context: Context) throws(Failure) {
        guard let format = ImportFormat(rawValue: request.arguments[0]) else {
            throw request.usage("found \"\(request.arguments[0])\", expected crontab, systemd or at")
        }
        self.format = format
        let file = request.arguments.dropFirst().first
        guard (file == nil) == request.has(Self.mine) else {
            throw request.usage(
                file == nil ? "import \(format.rawValue) needs FILE, - or --mine" : "a file and --mine: one of them")
        }
        if request.has("--comment-out"), format != .crontab || file == "-" {
            throw request.usage(
                format == .crontab
                    ? "--comment-out: standard input cannot be written"
                    : "--comment-out is for crontabs; see botcronctl help import")
        }
        origin = file == "-" ? "standard input" : file ?? "your \(format.rawValue)"
        imported = ImportedText()
        switch format {
        case .crontab: try readCrontab(file, request)
        case .systemd: try readTimers(file, request)
        case .at: try readAtJobs(file, request, context)
        }
        imported = checked(imported, context)
    }

    // MARK: - Crontabs

    private mutating func readCrontab(_ file: String?, _ request: Request) throws(Failure) {
        bytes = try Self.crontab(file, request)
        var reading = Crontab.Reading(user: Self.userName)
        if let file {
            let path = absolutePath(file)
            if request.has("--system") || path == "/etc/crontab" || path.hasPrefix("/etc/cron.d/") {
                reading.namesUsers = true
            }
        } else {
            reading.namesUsers = false
        }
        imported = Crontab.read(bytes, reading)
        if request.has("--comment-out") { return }
        if imported.entries.contains(where: { $0.job != nil }) {
            imported.remarks.append("cron goes on to run these lines, too; --comment-out puts them out of it.")
        }
    }

    static func crontab(_ file: String?, _ request: Request) throws(Failure) -> [UInt8] {
        guard let file else { return try ProgramText.output(of: "crontab -l", named: "crontab") }
        return try contents(file, request)
    }

    private static func contents(_ file: String, _ request: Request) throws(Failure) -> [UInt8] {
        if file == "-" { return try standardInput(request) }
        let contents: ConfigurationFile.Contents
        do {
            contents = try ConfigurationFile.load(path: file)
        } catch {
            throw .broken("\(error)")
        }
        guard case .bytes(let bytes) = contents else { throw .broken("\(file): there is no such file") }
        return bytes
    }

    private static var userName: String { getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "" }

    // MARK: - Timers

    private mutating func readTimers(_ file: String?, _ request: Request) throws(Failure) {
        if file == "-" {
            let text = String(decoding: try Self.contents("-", request), as: UTF8.self)
            imported = SystemdTimer.read(UnitFile.all(in: text, named: SystemdTimer.unnamed))
            return
        }
        let path: String
        if let file {
            path = absolutePath(file)
        } else {
            let environment = userEnvironment()
            let home = ConfigurationFile.homeFolder(environment: environment)
            path = (environment["XDG_CONFIG_HOME"] ?? home + "/.config") + "/systemd/user"
        }
        var units: [UnitFile] = []
        let timers = path.hasSuffix(".timer") ? [path] : Self.names(in: path, ending: ".timer").map { path + "/" + $0 }
        guard !timers.isEmpty || file == nil else {
            throw request.usage("\(path): expected a .timer, or a folder with some; a service has no time of its own")
        }
        for timer in timers {
            let unit = try Self.unit(timer, request)
            units.append(unit)
            let service = unit.value("Unit", in: "Timer") ?? String(unit.name.dropLast(".timer".count)) + ".service"
            let folder = String(timer.dropLast(unit.name.count))
            if access(folder + service, R_OK) == 0, !units.contains(where: { $0.name == service }) {
                units.append(try Self.unit(folder + service, request))
            }
        }
        imported = SystemdTimer.read(units)
    }

    /// A unit with its drop-ins.
    private static func unit(_ path: String, _ request: Request) throws(Failure) -> UnitFile {
        var text = String(decoding: try contents(path, request), as: UTF8.self)
        for name in names(in: path + ".d", ending: ".conf") {
            text += "\n" + String(decoding: try contents("\(path).d/\(name)", request), as: UTF8.self)
        }
        return UnitFile(name: path.split(separator: "/").last.map(String.init) ?? path, path: path, text)
    }

    /// Sorted; none where there is no such folder.
    private static func names(in folder: String, ending: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name.hasSuffix(ending), !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    // MARK: - at

    private mutating func readAtJobs(_ file: String?, _ request: Request, _ context: Context) throws(Failure) {
        if let file {
            let name = file.split(separator: "/").last.map(String.init) ?? file
            var label = AtJob.label(ofSpoolFile: name) ?? AtJob.Label(name: name, at: nil)
            if let text = request.options["--at"] {
                label.at = try context.moment(text, of: "--at", request).instant
            }
            imported = AtJob.read(try Self.contents(file, request), label, user: getuid(), now: context.now)
            return
        }
        let list = try ProgramText.output(of: "TZ=UTC LC_ALL=C atq", named: "atq")
        for label in AtJob.labels(inQueue: String(decoding: list, as: UTF8.self)) {
            let bytes = try ProgramText.output(of: "at -c \(label.number)", named: "at")
            let one = AtJob.read(bytes, label.label, user: getuid(), now: context.now)
            imported.entries += one.entries
            if imported.remarks.isEmpty { imported.remarks = one.remarks }
        }
    }

    // MARK: - The daemon's own judgement

    /// Every job as the daemon would read it: what it would refuse is not taken, and why is said now.
    private func checked(_ imported: ImportedText, _ context: Context) -> ImportedText {
        Self.checked(imported, context.configurationReader)
    }

    static func checked(_ imported: ImportedText, _ reader: ConfigurationReader) -> ImportedText {
        var imported = imported
        for index in imported.entries.indices {
            guard let job = imported.entries[index].job else { continue }
            do {
                let name = JobName.isValid(job.name) ? job.name : "job"
                _ = try reader.readJob(
                    .object(job.definition.named(name)), origin: .bus, in: Configuration(timezone: .utc), isNew: true)
            } catch {
                imported.entries[index].fate = .notTaken(reason: "no job can be made of it: \(error.message)")
            }
        }
        return imported
    }
}

extension AtJob {
    /// What `atq` prints in English and in UTC: `3 Mon Nov 30 13:00:00 2026 a user`.
    static func labels(inQueue text: String) -> [(number: Int, label: Label)] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split { " \t".contains($0) }
            guard words.count >= 7, let number = Int(words[0]), let day = Int(words[3]), let year = Int(words[5]),
                let month = Days.months.firstIndex(of: String(words[2]))
            else { return nil }
            let date = "\(year)-\(padded(month + 1))-\(padded(day))T\(words[4])Z"
            let at = try? Instant.absolute(date, zone: .utc)
            return (number, Label(name: "job \(number)", at: at, queue: words[6].first ?? "a"))
        }
    }

    private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
