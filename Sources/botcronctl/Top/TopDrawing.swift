import Schedules

/// Draws a model: a value in, a canvas out. Beside the canvas it says what the picture depends on: how often the texts
/// in it change by themselves (`beat`), and which facts it lacks (`lacks`).
///
/// Only rows that are seen are drawn: with ten thousand jobs a picture is as cheap as with ten.
struct TopDrawing {
    /// How soon a text in the picture is another one, if nothing happens.
    enum Beat: Int, Comparable {
        case never, minutes, seconds

        static func < (a: Beat, b: Beat) -> Bool { a.rawValue < b.rawValue }
    }

    /// What was to be drawn and is not known yet.
    struct Lacks: Equatable {
        /// Jobs whose last runs are not known.
        var strips: [String] = []
        /// Runs that have not ended, and of which nothing is known.
        var runs: [String] = []
        /// All runs that are seen.
        var seenRuns: [String] = []
    }

    let model: TopModel
    let glyphs: Glyphs
    let times: TimeText
    var canvas: Canvas
    private(set) var beat = Beat.never
    var lacks = Lacks()
    /// How many rows of the list were made.
    var drawnRows = 0

    init(_ model: TopModel, _ glyphs: Glyphs, _ times: TimeText) {
        self.model = model
        self.glyphs = glyphs
        self.times = times
        canvas = Canvas(model.layout.size, ellipsis: glyphs.ellipsis)
        draw()
    }

    var columns: Int { canvas.size.columns }

    private mutating func draw() {
        guard !model.layout.isTooSmall else { return drawTooSmall() }
        switch model.page {
        case .list:
            drawHeader()
            for index in model.layout.panes.indices { drawPane(index) }
            drawDetail()
            // What was so a while ago is not shown as what is.
            if model.facts.link != .live {
                for row in model.layout.panes[0].rows { canvas.restyle(0..<columns, row) { $0.isFaint = true } }
            }
            drawSaid(atRow: model.layout.saidRow)
            drawKeys(Self.listKeys)
        case .help(let first): drawHelp(first)
        case .why(let job, let sentences, let first): drawWhy(job, sentences, first)
        case .log(let log): drawLog(log)
        }
    }

    private mutating func drawTooSmall() {
        let least = TopLayout.leastSize
        let text = "botcronctl top needs \(least.columns) columns and \(least.rows) rows; q quits"
        for (row, line) in wrappedWords(text, into: max(1, columns)).enumerated() { canvas.write(line, at: 0, row) }
    }

    // MARK: - Times

    /// What is to come counts down: by seconds in its last ten minutes.
    mutating func countdown(to instant: Instant) -> String {
        let seconds = instant.seconds - times.now.seconds
        // What is due is told of at once; where it is not, somebody asks a little later (`TopSession`).
        if seconds > -Self.graceSeconds { note(seconds: seconds) }
        return seconds > 0 ? times.relative(instant) : "now"
    }

    private static let graceSeconds: Int64 = 5

    /// How long something has gone on.
    mutating func elapsed(since instant: Instant) -> String {
        let seconds = max(0, times.now.seconds - instant.seconds)
        note(seconds: seconds)
        return TimeText.length(seconds: UInt64(seconds))
    }

    /// What has passed, in its largest unit: nobody reads seconds that pass.
    mutating func ago(_ instant: Instant) -> String {
        let seconds = max(0, times.now.seconds - instant.seconds)
        beat = max(beat, .minutes)
        guard seconds >= 60 else { return "just now" }
        let length = TimeText.length(seconds: UInt64(seconds)).split(separator: " ").prefix(2)
        return length.joined(separator: " ") + " ago"
    }

    private mutating func note(seconds: Int64) { beat = max(beat, seconds < 600 ? .seconds : .minutes) }

    /// `Mon 09:00`, or the date where it is further away than a week.
    func clock(_ instant: Instant) -> String {
        let text = times.absolute(instant)
        let isNear = instant.seconds - times.now.seconds < 6 * 86_400
        return isNear ? "\(text.prefix(3)) \(text.dropFirst(15).prefix(5))" : String(text.dropFirst(4).prefix(16))
    }

    // MARK: - Around the list

    private mutating func drawHeader() {
        let facts = model.facts
        var at = 1
        at += canvas.write("BotCron", at: at, 0, .bold) + 2
        let (text, ink) = state(facts)
        at += canvas.write(text, at: at, 0, .ink(ink, isBold: ink != .plain))
        guard case .live = facts.link else { return }
        var more = " \(glyphs.separator) " + Self.count(facts.names.count, "job")
        if !model.filter.isEmpty { more += ", \(model.rows.count(of: .jobs)) shown" }
        canvas.write(more, at: at, 0, .faint)
        guard !model.filter.isEmpty else { return }
        let filter = "filter: \(model.filter.text)"
        let width = min(cellWidth(filter), max(0, columns - at - cellWidth(more) - 2))
        canvas.write(filter, at: columns - width - 1, 0, width: width, .bold)
    }

    static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    private mutating func state(_ facts: TopFacts) -> (String, CellStyle.Ink) {
        switch facts.link {
        case .unknown: return ("looking for the daemon", .plain)
        case .away(let since): return ("NOT LIVE for \(elapsed(since: since)): no daemon is on the bus", .bad)
        case .broken(let why, let since): return ("NOT LIVE for \(elapsed(since: since)): \(why)", .bad)
        case .live: break
        }
        switch facts.status {
        case "sleeping": return ("the machine is asleep", .warning)
        case "stopping": return ("the daemon is stopping", .warning)
        case _ where !facts.areSchedulesInForce: return ("ALL PAUSED; in force with: botcronctl resume", .warning)
        default: return (facts.status, .plain)
        }
    }

    mutating func drawSaid(atRow row: Int) {
        if let typing = model.typing { return drawTyping(typing, atRow: row) }
        if let question = model.question {
            var text = "End \(question.run)"
            if columns > cellWidth(text) + cellWidth(question.job) + 12 { text += " of \(question.job)" }
            // The answer is what must be seen, however long the names are.
            let used = canvas.write(text, at: 1, row, width: columns - 9, .ink(.warning, isBold: true))
            canvas.write("? y/N", at: 1 + used, row, .ink(.warning, isBold: true))
            return
        }
        guard let said = model.said else { return }
        var at = 1
        if !said.line.isEmpty {
            let (sign, ink): (String, CellStyle.Ink) =
                switch said.outcome {
                case .awaited: (glyphs.waiting, .active)
                case .done: (glyphs.good, .good)
                case .failed: (glyphs.bad, .bad)
                }
            at += canvas.write(sign, at: at, row, .ink(ink)) + 1
            // However long the line is, what came of it is seen.
            let room = columns - at - 1
            let width = max(room / 2, room - 2 - min(cellWidth(said.outcome.text), room))
            at += canvas.write(said.line, at: at, row, width: width, .bold) + 2
        }
        let isFailure = if case .failed = said.outcome { true } else { false }
        canvas.write(said.outcome.text, at: at, row, width: max(0, columns - at - 1), .ink(isFailure ? .bad : .plain))
    }

    private mutating func drawTyping(_ typing: TopModel.Typing, atRow row: Int) {
        canvas.write("/", at: 1, row, .bold)
        // The end is where the cursor is.
        var shown = typing.text
        while cellWidth(shown) > columns - 4, !shown.isEmpty { shown.removeFirst() }
        let width = canvas.write(shown, at: 2, row)
        canvas.cursor = Canvas.Place(column: min(2 + width, columns - 1), row: row)
    }

    // MARK: - Keys

    typealias Hint = (key: String, word: String)

    static let listKeys: [Hint] = [
        ("?", "help"), ("q", "quit"), ("/", "filter"), ("r", "run"), ("l", "log"), ("w", "why"), ("t", "on/off"),
        ("c", "cancel"), ("s", "skip"), ("e", "edit"), ("Tab", "section"),
    ]

    /// As many as there is room for, the first ones first.
    mutating func drawKeys(_ hints: [Hint]) {
        if let typing = model.typing {
            let what = typing.purpose == .search ? "looks for it" : "keeps the filter"
            canvas.write("Enter \(what), Esc leaves", at: 1, model.layout.keysRow, .faint)
            return
        }
        var at = 1
        for hint in hints {
            let width = cellWidth(hint.key) + 1 + cellWidth(hint.word)
            guard at + width < columns else { break }
            canvas.write(hint.key, at: at, model.layout.keysRow, .bold)
            canvas.write(hint.word, at: at + cellWidth(hint.key) + 1, model.layout.keysRow, .faint)
            at += width + 2
        }
    }
}
