/// The rooms of the house and what each may import. The table in `Sources/README.md` says the same; a test holds the
/// two together, so that neither changes alone.
let rooms: [(name: String, mayImport: Set<String>)] = [
    ("botcrond", ["Daemon"]),
    ("botcronctl", ["Client", "Contract", "Configuration", "Scheduling", "Schedules", "JSON", "EventLoop"]),
    ("botcron-run", ["Processes"]),
    ("botcron-send", ["JSON", "CCurl"]),
    (
        "Daemon",
        [
            "Control", "Settings", "Machine", "Performing", "Client", "Contract", "Desktop", "Execution", "Processes",
            "SQLiteStore", "Store", "Configuration", "DBus", "EventLoop", "Scheduling", "Schedules", "JSON", "CDBus",
            "CSystemd", "CSQLite", "CLinux", "CCurl",
        ]
    ),
    (
        "Control",
        ["Performing", "Contract", "Store", "Configuration", "DBus", "EventLoop", "Scheduling", "Schedules", "JSON"]
    ),
    ("Settings", ["Performing", "Store", "Configuration", "EventLoop", "Scheduling", "Schedules", "JSON"]),
    ("Machine", ["Performing", "Desktop", "Configuration", "EventLoop", "Scheduling", "Schedules"]),
    (
        "Performing",
        [
            "Desktop", "Execution", "Processes", "Store", "Configuration", "EventLoop", "Scheduling", "Schedules",
            "JSON",
        ]
    ),
    ("Client", ["Contract", "DBus", "EventLoop", "JSON"]),
    ("Contract", []),
    ("Desktop", ["DBus", "EventLoop"]),
    ("Execution", ["EventLoop", "Processes"]),
    ("Processes", ["CLinux"]),
    ("SQLiteStore", ["Store", "Scheduling", "Schedules", "CSQLite"]),
    ("Store", ["Scheduling", "Schedules"]),
    ("Configuration", ["Scheduling", "Schedules", "JSON", "CLinux"]),
    ("DBus", ["EventLoop", "CDBus"]),
    ("EventLoop", ["CSystemd", "CLinux"]),
    ("Scheduling", ["Schedules", "JSON"]),
    ("Schedules", []),
    ("JSON", []),
    ("CDBus", []),
    ("CSystemd", []),
    ("CSQLite", []),
    ("CLinux", []),
    ("CCurl", []),
]

/// What comes with the compiler, by room: the rooms of values know no system, and Foundation is in none.
func systemModules(of room: String) -> Set<String> {
    switch room {
    case "Contract", "JSON", "Schedules", "Scheduling", "Store": []
    case "DBus": ["Glibc", "Synchronization"]
    default: ["Glibc"]
    }
}

/// The words that the plan does not want in a declaration of ours, and where that can be told from the name alone.
let unwantedWords: [String: Reach] = [
    "task": .everywhere,
    "automation": .everywhere,
    "entry": .none("folders, queues and tables have entries; that a job is called one is not to be seen in a word"),
    "trigger": .none("it is our word for why a run exists, and only wrong for a schedule"),
    "timer": .none("sd-event has timers, and so have we"),
    "occurrence": .everywhere,
    "due time": .everywhere,
    "instance": .everywhere,
    "execution": .everywhere,
    "try": .everywhere,
    "check": .none("arguments are checked; that an errand is called a check is not to be seen in a word"),
    "helper": .everywhere,
    "cause": .everywhere,
    "source": .none("sd-event has sources, and values come from one"),
    "miss": .everywhere,
    "held": .everywhere,
    "pending": .everywhere,
    "alert": .everywhere,
    "notice": .everywhere,
    "repository": .everywhere,
    "db": .everywhere,
    "action": .everywhere,
    "command": .none("a job has a command, and so has an errand"),
]

enum Reach {
    /// In no declaration of `Sources`, but for what `Exceptions` names.
    case everywhere
    /// It cannot be told from a name, because of what is said.
    case none(String)
}
