import Contract

/// The pages of the manual. Each is made from the tables that the programs work by, so that it says what they do.
enum ManualPage: String, CaseIterable, Sendable {
    case tool = "botcronctl"
    case daemon = "botcrond"
    case configuration = "botcron.json"
    case interface = "com.aiworkflow.BotCron"

    var section: Int {
        switch self {
        case .tool: 1
        case .daemon: 8
        case .configuration, .interface: 5
        }
    }

    /// The name of its file in a folder of pages.
    var file: String { "\(rawValue).\(section)" }

    private var manual: String {
        switch self {
        case .tool: "User Commands"
        case .daemon: "System Manager's Manual"
        case .configuration, .interface: "File Formats"
        }
    }

    /// An empty page with its head.
    var head: Roff { Roff(rawValue, section: section, manual: manual, version: botcronVersion) }

    /// A line for each of the others.
    func seeAlso(_ others: [String] = []) -> String {
        (Self.allCases.filter { $0 != self }.map { "\($0.rawValue)(\($0.section))" } + others).joined(separator: ", ")
    }

    /// - Parameter interfaces: the introspection documents, by the name of their interface.
    func roff(interfaces: () throws(Failure) -> [InterfaceDocument]) throws(Failure) -> Roff {
        switch self {
        case .tool: ToolPage.roff
        case .daemon: DaemonPage.roff
        case .configuration: ConfigurationPage.roff
        case .interface: InterfacePage.roff(of: try interfaces())
        }
    }
}

/// A command line that a page shows, with what it does. A test runs each of them.
struct ManualExample: Sendable {
    let meaning: String
    let line: String

    init(_ meaning: String, _ line: String) {
        self.meaning = meaning
        self.line = line
    }
}

extension Roff {
    mutating func examples(_ examples: [ManualExample]) {
        section("EXAMPLES")
        for one in examples {
            text(one.meaning)
            example([one.line])
        }
    }
}
