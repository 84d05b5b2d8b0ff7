internal import Configuration
internal import EventLoop
internal import JSON
internal import Schedules
internal import Scheduling
internal import Store

/// What config.json says, and where it says nothing that can be understood, what it said last.
///
/// The section `schedules` that was good last is kept in the store as text, without its secrets. A daemon that starts
/// with a file that is broken or away goes on with that one, and says why. One refused job does not make a section bad.
final class ConfigurationInForce {
    /// Without refused definitions that came over the bus.
    private(set) var configuration: Configuration
    /// Why the file as it stands is not in force.
    private(set) var fault: ConfigurationError?
    private(set) var isUsingLastGood = false
    private(set) var isLoaded = false

    private let path: String
    private let zones: ZoneDatabase
    private let store: any Store
    private let log: Log
    /// Of the bytes that were read last, good or not.
    private var fingerprint: Int?
    /// Of the section that the store keeps; nil where that is not known.
    private var keptFingerprint: Int?
    /// The section that was good last, until the store has it.
    private var unkept: String?
    /// What was read and is not taken yet.
    private var readSection: String?
    private var isFaultOfKeepingSaid = false
    /// Reading the same bytes again may then give another answer.
    private var hasNamesakes = false

    init(path: String, zones: ZoneDatabase, store: any Store, log: Log) {
        self.path = path
        self.zones = zones
        self.store = store
        self.log = log
        configuration = .absent(zones)
    }

    // MARK: - Reading

    /// At the start: the file, else the last good section, else no jobs.
    func load(with reader: ConfigurationReader) {
        isLoaded = true
        let note = lastGood()
        if let note { keptFingerprint = Self.fingerprint(note.utf8) }
        do throws(ConfigurationError) {
            // A file that never was is a first use; one that was good and is gone is a mishap.
            configuration = try read(with: reader, mayBeAbsent: note.map { $0 == Self.noSection } ?? true)
            // What the store has already does not stay in memory.
            unkept = readSection.flatMap { Self.fingerprint($0.utf8) == keptFingerprint ? nil : $0 }
            readSection = nil
            return
        } catch {
            log.error("config.json is not in force", [("BOTCRON_ERROR", "\(error)")])
        }
        guard let note else { return }
        do {
            let bytes = Array("{\"schedules\": \(note)}".utf8)
            configuration = try reader.read(
                outline: try ConfigurationFile.outline(bytes, path: "the last good section"))
            // Their lines are those of another text.
            configuration.warnings = []
            isUsingLastGood = true
            log.warning("the last good configuration is in force", [("BOTCRON_JOBS", "\(configuration.jobs.count)")])
        } catch {
            log.error("the last good configuration cannot be read either: no jobs", [("BOTCRON_ERROR", "\(error)")])
        }
    }

    /// The file as it stands; `fault` says why it is not to be taken.
    func read(with reader: ConfigurationReader) throws(ConfigurationError) -> Configuration {
        // One that was there and is gone is about to be written anew, or a mishap: no reason to forget every job.
        try read(with: reader, mayBeAbsent: !configuration.isWritten && !isUsingLastGood)
    }

    private func read(
        with reader: ConfigurationReader, mayBeAbsent: Bool
    ) throws(ConfigurationError) -> Configuration {
        // What cannot be read now may come back as it was: that is a change.
        fingerprint = nil
        do throws(ConfigurationError) {
            let next: Configuration
            switch try ConfigurationFile.load(path: path) {
            case .absent:
                guard mayBeAbsent else {
                    throw ConfigurationError(
                        operation: "read", object: path, reason: "the file is gone; to have no jobs, write {} to it")
                }
                readSection = nil
                next = .absent(zones, warning: "there is no \(path): no jobs until it is written")
            case .bytes(let bytes):
                fingerprint = Self.fingerprint(bytes)
                let outline = try ConfigurationFile.outline(bytes, path: path)
                next = try reader.read(outline: outline)
                // What must not be in the store is not in it: who starts with this text waits for the file with that.
                readSection =
                    outline.text(of: ["schedules"], mask: ConfigurationReader.secrets) ?? Self.noSection
            }
            fault = nil
            return next
        } catch {
            fault = error
            // Whoever reads the fault wants to know which file.
            if error.object == ConfigurationReader.sectionObject { fault?.object = path }
            throw fault ?? error
        }
    }

    /// What was read last is in force from now on.
    ///
    /// - Parameter hasNamesakes: whether a job of it is refused because one of the bus has its name.
    func take(_ next: Configuration, hasNamesakes: Bool) {
        configuration = next
        isUsingLastGood = false
        unkept = readSection ?? unkept
        readSection = nil
        self.hasNamesakes = hasNamesakes
    }

    /// Whether the file holds the bytes that were read last, so that reading it would change nothing. Costs a look at
    /// the bytes, not their parsing: a file that somebody touches in vain may be large.
    func isUnchanged() -> Bool {
        guard let fingerprint, !hasNamesakes, case .bytes(let bytes)? = try? ConfigurationFile.load(path: path) else {
            return false
        }
        return Self.fingerprint(bytes) == fingerprint
    }

    // MARK: - The last good section

    /// In place of the section where a good file has none.
    private static let noSection = "null"

    private func lastGood() -> String? {
        do {
            return try store.note(.configuration)
        } catch {
            log.warning("the last good configuration is not known", [("BOTCRON_ERROR", "\(error)")])
            return nil
        }
    }

    /// The store notes the section that is in force, where it does not have it. Where that fails the next commit tries
    /// again.
    func keepLastGood() {
        guard let text = unkept else { return }
        let fingerprint = Self.fingerprint(text.utf8)
        guard fingerprint != keptFingerprint else {
            unkept = nil
            return
        }
        do {
            try store.keep(text, as: .configuration)
            keptFingerprint = fingerprint
            unkept = nil
            isFaultOfKeepingSaid = false
        } catch {
            if !isFaultOfKeepingSaid {
                log.warning("the good configuration cannot be kept", [("BOTCRON_ERROR", "\(error)")])
            }
            isFaultOfKeepingSaid = true
        }
    }

    /// Compared within one process only: the seed of the hash is another one in the next.
    private static func fingerprint(_ bytes: some Sequence<UInt8>) -> Int {
        var hasher = Hasher()
        if bytes.withContiguousStorageIfAvailable({ hasher.combine(bytes: UnsafeRawBufferPointer($0)) }) == nil {
            for byte in bytes { hasher.combine(byte) }
        }
        return hasher.finalize()
    }
}

extension Configuration {
    /// Without a file there are no jobs.
    static func absent(_ zones: ZoneDatabase, warning: String? = nil) -> Configuration {
        var empty = Configuration(timezone: (try? zones.zone(named: "local")) ?? .utc)
        empty.isWritten = false
        empty.warnings = warning.map { [$0] } ?? []
        return empty
    }
}
