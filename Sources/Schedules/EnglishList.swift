/// Numbers and names put into English for `Timetable.explain` and `Timetable.notes`.
enum EnglishList {
    static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
    private static let weeks = ["first", "second", "third", "fourth", "fifth"]

    /// More words than these become "… and so on": an explanation is read by a person.
    static let itemLimit = 12

    /// "a", "a and b", "a, b and c".
    static func joined(_ words: [String], _ conjunction: String = "and") -> String {
        var words = words
        if words.count > itemLimit { words = words.prefix(itemLimit - 1) + ["so on"] }
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " \(conjunction) " + last
    }

    /// Values in ascending order; three or more in a row become "a to c". `wraps` joins the last run with the first.
    static func runs(_ values: [Int], size: Int? = nil, _ word: (Int) -> String) -> String {
        var runs: [(first: Int, last: Int, count: Int)] = []
        for value in values {
            if let last = runs.last, last.last + 1 == value {
                runs[runs.count - 1] = (last.first, value, last.count + 1)
            } else {
                runs.append((value, value, 1))
            }
        }
        if let size, runs.count > 1, let first = runs.first, let last = runs.last, first.first == 0,
            last.last == size - 1
        {
            runs.removeFirst()
            runs[runs.count - 1] = (last.first, first.last, first.count + last.count)
        }
        let words = runs.flatMap { run in
            switch run.count {
            case 1: [word(run.first)]
            case 2: [word(run.first), word(run.last)]
            default: ["\(word(run.first)) to \(word(run.last))"]
            }
        }
        return joined(words)
    }

    /// "1st", "22nd", "13th".
    static func ordinal(_ number: Int) -> String {
        if (11...13).contains(number % 100) { return "\(number)th" }
        switch number % 10 {
        case 1: return "\(number)st"
        case 2: return "\(number)nd"
        case 3: return "\(number)rd"
        default: return "\(number)th"
        }
    }

    /// "first", … "fifth".
    static func week(_ number: Int) -> String {
        weeks.indices.contains(number - 1) ? weeks[number - 1] : ordinal(number)
    }

    /// "1 day", "2 days".
    static func count(_ number: Int64, _ unit: String) -> String {
        "\(number) \(unit)\(number == 1 ? "" : "s")"
    }

    /// The places of the bits that are set, ascending.
    static func bits(_ mask: UInt64) -> [Int] {
        (0..<64).filter { mask >> UInt64($0) & 1 != 0 }
    }

    /// The zone as people say it: "New York time" of `America/New_York`. `Etc/GMT+5` keeps its name: "GMT+5" alone
    /// would be read as five hours ahead.
    static func zone(_ name: String) -> String {
        if hasReversedSign(name) { return name }
        if name == "UTC" || name.hasPrefix("Etc/") || !name.utf8.contains(UInt8(ascii: "/")) {
            return name == "local" ? "local time" : name.hasPrefix("Etc/") ? String(name.dropFirst(4)) : name
        }
        let city = name.split(separator: "/").last.map(String.init) ?? name
        return city.split(separator: "_").joined(separator: " ") + " time"
    }

    /// Whether it is one of the zones of a fixed offset, whose sign is that of POSIX: `Etc/GMT+5` is behind UTC.
    static func hasReversedSign(_ name: String) -> Bool {
        name.hasPrefix("Etc/GMT") && name.utf8.count > 8 && !name.hasSuffix("0")
    }

    /// "09:00", or "23:59:30" where the second is not 0.
    static func time(_ hour: Int, _ minute: Int, _ second: Int) -> String {
        "\(padded(hour, 2)):\(padded(minute, 2))" + (second == 0 ? "" : ":\(padded(second, 2))")
    }
}
