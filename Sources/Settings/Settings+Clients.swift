public import Configuration
public import JSON
internal import Performing
public import Scheduling

/// What clients read and change of what is in force.
extension Settings {
    /// Reads a definition that came over the bus, with the defaults that are in force.
    public func readJob(_ value: JSONValue, madeUpName: String) throws(JobError) -> Job {
        try currentReader().readJob(value, origin: .bus, in: configuration, madeUpName: madeUpName, isNew: true)
    }

    /// A schedule that nobody has saved: a cron expression, or JSON with the schedule keys of a job.
    public func readPreview(_ text: String) throws(JobError) -> SchedulePreview {
        try currentReader().readPreview(of: text, in: configuration)
    }

    /// Begins to read a section of config.json as it stands now, or what stands at a dotted key in it.
    public func reading(_ section: String, _ key: String) throws(SettingsError) -> ValueReading {
        try edits.reading(section, key)
    }

    /// Writes one value, keeps everything else (other keys, their order, the layout, the file's mode), and takes the
    /// file up. An empty key merges an object into the section.
    ///
    /// - Throws: where the change would refuse a job that is good now, names a key of `schedules` that nobody knows, or
    ///   would make the section unreadable; where the file is away or is no JSON. Then nothing is written.
    public func update(_ section: String, _ key: String, _ value: JSONValue) throws(SettingsError) {
        try exemptAsReload { () throws(SettingsError) in
            try edits.update(section, key, value)
            // What is written is success: where it cannot be taken up at once, because another program has written
            // something else meanwhile, the fault says so.
            reloadAndSay { () throws(SettingsError) in try takeUpConfiguration() }
        }
    }

    private var edits: ConfigurationEdits { ConfigurationEdits(path: configurationPath, reader: currentReader()) }

    func currentReader() -> ConfigurationReader {
        ConfigurationReader(zones: zones, home: home, now: reading?.now ?? clock()) { [reading] job in
            reading?.registration(of: job).map {
                Registration(scheduleKey: $0.scheduleKey, registeredAt: $0.registeredAt)
            }
        }
    }
}
