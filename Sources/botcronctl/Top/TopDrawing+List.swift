import Schedules

/// The rows of the list.
extension TopDrawing {
    /// The columns of a pane: the sign that is before a name, the name, and what is behind it.
    private struct Columns {
        static let signs = 4
        static let nameMin = 14
        /// What a job's row has beside its name: the signs, the next and the last run, the bars, and what is between.
        private static let besideName = signs + 2 + nextWidth + 2 + lastWidth + 1 + RunStrip.count + 1

        let start: Int
        let end: Int
        let name: Int

        init(_ pane: TopLayout.Pane, longestName: Int) {
            start = pane.columns.lowerBound
            end = pane.columns.upperBound
            // No wider than what is there, so that the eye has no gap to cross.
            name = max(Self.nameMin, min(longestName, max(Self.nameMin, end - start - Self.besideName)))
        }

        var behindName: Int { start + Self.signs + name + 2 }
        var room: Int { end - behindName - 1 }
    }

    mutating func drawPane(_ index: Int) {
        let pane = model.layout.panes[index]
        let columns = Columns(pane, longestName: model.rows.longestName)
        let top = model.tops[index]
        let count = model.layout.lineCount(pane, model.rows)
        for offset in 0..<pane.rows.count where top + offset < count {
            let row = pane.rows.lowerBound + offset
            switch model.layout.line(top + offset, of: pane, model.rows) {
            case .heading(let section): drawHeading(section, row, columns)
            case .row(let position): drawRow(position, row, columns)
            case .more(_, let count):
                canvas.write("and \(count) more among the jobs", at: columns.start + Columns.signs, row, .faint)
            case .blank: break
            }
        }
    }

    private mutating func drawHeading(_ section: TopRows.Section, _ row: Int, _ columns: Columns) {
        let count = model.rows.count(of: section)
        guard count > 0 else {
            canvas.write(emptyText(section), at: columns.start + 1, row, width: columns.end - columns.start - 2, .faint)
            return
        }
        let at = columns.start + 1
        let used = canvas.write(section.title, at: at, row, .bold)
        // How many fire times there are is how many jobs have one, which tells nothing.
        if section != .next { canvas.write("\(count)", at: at + used + 1, row, .faint) }
    }

    private func emptyText(_ section: TopRows.Section) -> String {
        let isKnown = model.facts.link == .live
        let isFiltered = !model.filter.isEmpty
        return switch section {
        case _ where !isKnown && model.facts.names.isEmpty: ""
        case .attention: isFiltered ? "Nothing that is shown needs a look" : "Nothing needs a look"
        case .running: "Nothing is running"
        case .next: model.facts.areSchedulesInForce ? "Nothing is due" : "Nothing is due while all is paused"
        case .jobs: isFiltered ? "No job is like that" : "No jobs yet; make one with: botcronctl add"
        }
    }

    private mutating func drawRow(_ position: Int, _ row: Int, _ columns: Columns) {
        guard let item = model.rows.row(at: position) else { return }
        drawnRows += 1
        let isSelected = position == model.selected
        if isSelected { canvas.write(glyphs.selected, at: columns.start, row, .bold) }
        switch (item.section, item.subject) {
        case (_, .configuration):
            drawFault("config.json", "not in force", model.facts.configurationFault, isSelected, row, columns)
        case (_, .store): drawFault("store", "trouble", model.facts.storeFault, isSelected, row, columns)
        case (_, .run(let run, let name)): drawRunning(run, name, isSelected, row, columns)
        case (let section, .job(let name)):
            guard let job = model.facts.jobs[name] else { return }
            switch section {
            case .attention: drawAttention(job, isSelected, row, columns)
            case .next: drawNext(job, isSelected, row, columns)
            default: drawJob(job, isSelected, row, columns)
            }
        }
    }

    /// What is before a row's facts: a sign and a name, which is turned over where it is selected.
    private mutating func drawName(
        _ name: String, _ sign: String, _ ink: CellStyle.Ink, _ isSelected: Bool, _ row: Int, _ columns: Columns,
        isFaint: Bool = false
    ) {
        canvas.write(sign, at: columns.start + 2, row, .ink(ink))
        let at = columns.start + Columns.signs
        var style = CellStyle(isFaint: isFaint && !isSelected)
        if isSelected {
            style.isReversed = true
            canvas.write(String(repeating: " ", count: columns.name), at: at, row, style)
        }
        canvas.write(name, at: at, row, width: columns.name, style)
    }

    // MARK: - What needs a look

    private mutating func drawFault(
        _ name: String, _ what: String, _ text: String, _ isSelected: Bool, _ row: Int, _ columns: Columns
    ) {
        drawName(name, glyphs.bad, .bad, isSelected, row, columns)
        let used = canvas.write(what, at: columns.behindName, row, width: columns.room, .ink(.bad))
        let at = columns.behindName + max(Self.whatWidth, used) + 2
        canvas.write(text, at: at, row, width: columns.end - at - 1, .faint)
    }

    /// `interrupted 12 min ago`.
    private static let whatWidth = 22

    private mutating func drawAttention(_ job: JobFacts, _ isSelected: Bool, _ row: Int, _ columns: Columns) {
        if !job.error.isEmpty {
            return drawFault(job.name, "not schedulable", Self.words(ofRefusal: job.error), isSelected, row, columns)
        }
        let last = lastRun(of: job)
        if let why = model.facts.pausedByFailures[job.name] {
            return drawFault(job.name, "paused by failures", why, isSelected, row, columns)
        }
        if let run = job.running.compactMap({ model.facts.runs[$0] }).first(where: \.isStalled) {
            return drawFault(job.name, "stalled", run.what, isSelected, row, columns)
        }
        let when = job.lastRun.map { " " + ago($0) } ?? ""
        drawFault(job.name, job.lastStatus + when, last?.what ?? "", isSelected, row, columns)
    }

    /// Without the code that programs read.
    private static func words(ofRefusal error: String) -> String {
        guard let refusal = Refusal(error, definition: nil) else { return error }
        return "\(refusal.field) \"\(refusal.value)\": \(refusal.sentence)"
    }

    /// The last run that has ended; nil where it is not known yet, which is noted.
    private mutating func lastRun(of job: JobFacts) -> RunFacts? {
        guard let strip = model.facts.strips[job.name] else {
            lacks.strips.append(job.name)
            return nil
        }
        return strip.first { $0.status == job.lastStatus }
    }

    // MARK: - What runs

    private mutating func drawRunning(
        _ id: String, _ name: String, _ isSelected: Bool, _ row: Int, _ columns: Columns
    ) {
        lacks.seenRuns.append(id)
        let known = model.facts.runs[id]
        if known == nil { lacks.runs.append(id) }
        let isStalled = known?.isStalled ?? false
        drawName(name, glyphs.active, isStalled ? .bad : .active, isSelected, row, columns)
        guard let run = known, let start = run.startedAt else { return }
        var at = columns.behindName
        let elapsed = elapsed(since: start)
        at += max(9, canvas.write(elapsed, at: at, row, width: columns.end - at - 1)) + 1
        var parts: [String] = []
        if let progress = run.progress {
            at += drawProgress(progress, at, row, columns) + 1
        } else if let usual = model.facts.jobs[name]?.lastMilliseconds, usual >= 1_000 {
            parts.append("last time \(TimeText.length(seconds: UInt64(usual / 1_000)))")
        }
        if isStalled { parts.append("stalled") }
        if run.status == "retrying" { parts.append("waits for attempt \(run.attempt + 1)") }
        if run.attempt > 1, run.status != "retrying" { parts.append("attempt \(run.attempt)") }
        let text = parts.joined(separator: " \(glyphs.separator) ")
        canvas.write(text, at: at, row, width: max(0, columns.end - at - 1), .faint)
    }

    private mutating func drawProgress(_ percent: Double, _ at: Int, _ row: Int, _ columns: Columns) -> Int {
        let share = max(0, min(percent, 100)) / 100
        let width = min(20, max(0, columns.end - at - 8))
        let full = Int((share * Double(width)).rounded(.down))
        var used = canvas.write(String(repeating: glyphs.full, count: full), at: at, row, .ink(.active))
        used += canvas.write(String(repeating: glyphs.empty, count: width - full), at: at + used, row, .faint)
        return used + 1 + canvas.write("\(Int(share * 100)) %", at: at + used + 1, row)
    }

    // MARK: - What comes next

    /// `in 13 h 20 min`.
    private static let countdownWidth = 14

    private mutating func drawNext(_ job: JobFacts, _ isSelected: Bool, _ row: Int, _ columns: Columns) {
        drawName(job.name, "", .plain, isSelected, row, columns)
        guard let next = job.nextRun else { return }
        var at = columns.behindName
        canvas.write(countdown(to: next), at: at, row, width: Self.countdownWidth)
        at += Self.countdownWidth + 2
        at += max(10, canvas.write(clock(next), at: at, row, width: max(0, columns.end - at - 1))) + 2
        canvas.write(job.schedule, at: at, row, width: max(0, columns.end - at - 1), .faint)
    }

    // MARK: - All jobs

    /// `in 13 h 20 min`, `paused`, `by hand`.
    private static let nextWidth = 14
    /// `59 min ago`.
    private static let lastWidth = 10

    private mutating func drawJob(_ job: JobFacts, _ isSelected: Bool, _ row: Int, _ columns: Columns) {
        let (sign, ink) = sign(of: job)
        drawName(job.name, sign, ink, isSelected, row, columns, isFaint: !job.isEnabled)
        var at = columns.behindName
        canvas.write(nextText(job), at: at, row, width: min(Self.nextWidth, columns.room))
        at += Self.nextWidth + 2
        guard columns.end - at > 8 else { return }
        // Beside many columns what is left is the bars'; of few the newest bars are seen.
        let isWide = columns.end - at > Self.lastWidth + 8
        if isWide {
            canvas.write(lastText(job), at: at, row, width: Self.lastWidth, .faint)
            at += Self.lastWidth + 1
        }
        guard let strip = model.facts.strips[job.name] else {
            lacks.strips.append(job.name)
            return
        }
        let width = min(RunStrip.count, columns.end - at - 1)
        let bars = RunStrip.bars(of: strip, width: width, glyphs)
        // The newest are under each other.
        var place = at + width - bars.count
        for bar in bars { place += canvas.write(bar.text, at: place, row, .ink(bar.ink)) }
        canvas.write(job.schedule, at: place + 2, row, width: max(0, columns.end - place - 3), .faint)
    }

    func sign(of job: JobFacts) -> (String, CellStyle.Ink) {
        if !job.error.isEmpty { return (glyphs.bad, .bad) }
        if !job.running.isEmpty { return (glyphs.active, .active) }
        if !job.waitingFor.isEmpty { return (glyphs.waiting, .active) }
        switch job.lastStatus {
        case "success": return (glyphs.good, .good)
        case "": return (" ", .plain)
        case _ where job.isFailed: return (glyphs.bad, .bad)
        case "cancelled": return (glyphs.cancelled, .warning)
        default: return (glyphs.omitted, .warning)
        }
    }

    private mutating func nextText(_ job: JobFacts) -> String {
        if !job.error.isEmpty { return "refused" }
        if let next = job.nextRun { return countdown(to: next) }
        if !job.isEnabled { return "disabled" }
        if !job.hasSchedule { return "by hand" }
        return model.facts.areSchedulesInForce ? "not again" : "paused"
    }

    private mutating func lastText(_ job: JobFacts) -> String {
        if !job.running.isEmpty { return "running" }
        if !job.waitingFor.isEmpty { return "waiting" }
        guard !job.lastStatus.isEmpty else { return "never ran" }
        return job.lastRun.map { ago($0) } ?? job.lastStatus
    }

    // MARK: - The selected one in full

    mutating func drawDetail() {
        let row = model.layout.detailRow
        guard let subject = model.selectedRow?.subject else { return }
        let facts = model.facts
        var parts: [String] = []
        switch subject {
        case .configuration: parts = ["config.json", facts.configurationFault]
        case .store: parts = ["store", facts.storeFault]
        case .run(let run, let name): parts = [name, run]
        case .job(let name): parts = [name]
        }
        if let job = subject.job.flatMap({ facts.jobs[$0] }) { parts += detail(of: job) }
        let text = parts.filter { !$0.isEmpty }.joined(separator: " \(glyphs.separator) ")
        canvas.write(text, at: 1, row, width: columns - 2, .faint)
    }

    private func detail(of job: JobFacts) -> [String] {
        var parts = [Self.words(ofRefusal: job.error)]
        if !job.title.isEmpty, job.title != job.name { parts.append(job.title) }
        parts += [job.schedule, job.zone]
        if let next = job.nextRun { parts.append("next \(clock(next))") }
        if !job.lastStatus.isEmpty {
            let took = job.lastMilliseconds.map { " in " + TimeText.duration(milliseconds: max(0, $0)) } ?? ""
            parts.append("last \(job.lastStatus)\(took)")
        }
        if !job.waitingFor.isEmpty { parts.append("waits for " + job.waitingFor.joined(separator: " and for ")) }
        if let strip = model.facts.strips[job.name]?.first, job.isFailed { parts.append(strip.what) }
        return parts + [job.tags.joined(separator: ", ")]
    }
}
