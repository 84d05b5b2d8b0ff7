internal import DBus

/// A transient scope of the user manager: the unit of one attempt, with its limits.
public struct Scope: Sendable {
    /// `app-botcron-<job>-<id>.scope`, each part escaped as systemd escapes them; then the names that it has where the
    /// manager knows a unit of those before, as of a supervisor of the same attempt that has just ended.
    public let names: [String]
    public var description: String
    public var memoryMaxBytes: UInt64?
    /// µs of processor time in a second.
    public var cpuQuotaUSec: UInt64?
    public var tasksMax: UInt64?

    /// - Parameter ids: of the attempt, each unlike those of all others of the job; the first that is free is taken.
    public init(job: String, ids: [String]) {
        names = ids.map { Self.unitName(job, $0) }
        description = "BotCron: \(job)"
    }

    /// The names of all of them, as a pattern of the manager's.
    static let pattern = "app-botcron-*.scope"

    /// What `StartTransientUnit` takes.
    func arguments(_ name: String, _ pid: Int32) -> [DBusValue] {
        var properties: [DBusValue] = []
        func add(_ name: String, _ value: DBusValue) {
            properties.append(.structure([.string(name), .variant(value)]))
        }
        add("PIDs", .array([.uint32(UInt32(pid))], element: "u"))
        add("Description", .string(description))
        add("Slice", .string("app.slice"))
        add("CollectMode", .string("inactive-or-failed"))
        // The supervisor in it tells of the kill; the manager is not to end that, too.
        add("OOMPolicy", .string("continue"))
        if let memoryMaxBytes { add("MemoryMax", .uint64(memoryMaxBytes)) }
        if let cpuQuotaUSec { add("CPUQuotaPerSecUSec", .uint64(cpuQuotaUSec)) }
        if let tasksMax { add("TasksMax", .uint64(tasksMax)) }
        return [
            .string(name), .string("fail"), .array(properties, element: "(sv)"), .array([], element: "(sa(sv))"),
        ]
    }

    // MARK: - The name

    /// The bound of a unit's name, in bytes.
    private static let nameBytesMax = 255

    static func unitName(_ job: String, _ id: String) -> String {
        let name = "app-botcron-\(escape(job))-\(escape(id)).scope"
        guard name.utf8.count > nameBytesMax else { return name }
        // Too long: the hash of the whole keeps it unlike others. A cut within an escape is harmless.
        let start = String(decoding: escape(job).utf8.prefix(nameBytesMax - 40), as: UTF8.self)
        return "app-botcron-\(start)-\(hash(name)).scope"
    }

    /// systemd.unit(5): letters, digits, `:`, `_` and `.` stay; of every other byte, `-` among them, its code.
    private static func escape(_ text: String) -> String {
        var escaped: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: ":"), UInt8(ascii: "_"), UInt8(ascii: "."):
                escaped.append(byte)
            default:
                let digits = String(byte, radix: 16)
                escaped += "\\x\(digits.utf8.count == 1 ? "0" : "")\(digits)".utf8
            }
        }
        return String(decoding: escaped, as: UTF8.self)
    }

    /// FNV-1a 64.
    private static func hash(_ text: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 {
            hash ^= UInt64(byte)
            hash = hash &* 0x100_0000_01b3
        }
        return String(hash, radix: 16)
    }
}
