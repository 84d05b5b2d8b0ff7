/// What keys do.
extension TopModel {
    mutating func handle(_ key: Key) -> [TopWish] {
        refresh()
        switch key {
        case .control("c"): return [.quit]
        case .control("z"): return [.suspend]
        case .control("l"): return [.repaint]
        default: break
        }
        if layout.isTooSmall { return key == .character("q") ? [.quit] : [] }
        if typing != nil { return type(key) }
        if let question { return answer(question, key) }
        switch page {
        case .list: return inList(key)
        case .help(let first): return inHelp(first, key)
        case .why(let job, let sentences, let first): return inWhy(job, sentences, first, key)
        case .log: return inLog(key)
        }
    }

    // MARK: - The list

    private mutating func inList(_ key: Key) -> [TopWish] {
        let height = layout.panes.last?.rows.count ?? 1
        switch key {
        case .down, .character("j"), .control("n"): select(selected + 1)
        case .up, .character("k"), .control("p"): select(selected - 1)
        case .mouse(.wheelDown): select(selected + 3)
        case .mouse(.wheelUp): select(selected - 3)
        case .pageDown, .control("f"), .character(" "): select(selected + height - 1)
        case .pageUp, .control("b"): select(selected - height + 1)
        case .home, .character("g"): select(0)
        case .end, .character("G"): select(rows.listedCount - 1)
        case .tab, .right: selectSection(forwards: true)
        case .backTab, .left: selectSection(forwards: false)
        case .mouse(.click(let column, let row)):
            if let position = position(at: Canvas.Place(column: column, row: row)) { select(position) }
        case .character("/"): typing = Typing(purpose: .filter(before: filter.text), text: filter.text)
        case .character("?"): page = .help(first: 0)
        case .character("q"): return [.quit]
        case .escape:
            // One thing at a time, the last first.
            if !filter.isEmpty { filter = TopFilter() } else { said = nil }
        default: return onSelected(key)
        }
        return []
    }

    /// Keys that do something to what is selected.
    private mutating func onSelected(_ key: Key) -> [TopWish] {
        guard "rtslcwe".contains(where: { key == .character($0) }) || key == .enter else { return [] }
        guard let subject = selectedRow?.subject, let name = subject.job else {
            return onFault(key)
        }
        let job = facts.jobs[name]
        switch key {
        case .character("r"): return [.run(job: name)]
        case .character("t"): return [.setEnabled(job: name, !(job?.isEnabled ?? true))]
        case .character("s"): return [.skip(job: name)]
        case .character("w"): return [.why(job: name)]
        case .character("e"): return [.edit(job: name)]
        case .character("c"):
            if case .run(let run, _) = subject {
                question = Question(run: run, job: name)
            } else if let run = job?.running.first {
                question = Question(run: run, job: name)
            } else {
                remark("nothing of \(name) is running")
            }
            return []
        default:
            if case .run(let run, _) = subject { return [.openLog(job: name, run: run)] }
            return [.openLog(job: name, run: job?.running.first)]
        }
    }

    /// What is wrong with the configuration or the store is longer than its row.
    private mutating func onFault(_ key: Key) -> [TopWish] {
        let isRead = [.enter, .character("l"), .character("w")].contains(key)
        switch selectedRow?.subject {
        case .configuration where isRead:
            page = .why(job: "config.json", sentences: [facts.configurationFault], first: 0)
        case .store where isRead: page = .why(job: "the store", sentences: [facts.storeFault], first: 0)
        case .configuration, .store: remark("this is not about a job; w says more")
        default: break
        }
        return []
    }

    private mutating func remark(_ text: String) { said = Said(line: "", outcome: .done(text)) }

    private mutating func answer(_ question: Question, _ key: Key) -> [TopWish] {
        // What is no answer, such as a report of the terminal, leaves the question.
        switch key {
        case .modeReport, .mouse: return []
        case .character("y"), .character("Y"):
            self.question = nil
            return [.cancel(run: question.run)]
        default:
            self.question = nil
            remark("\(question.run) goes on")
            return []
        }
    }

    // MARK: - Typing

    private mutating func type(_ key: Key) -> [TopWish] {
        guard var line = typing else { return [] }
        switch key {
        case .character(let character): line.text.append(character)
        case .pasted(let text): line.text += printable(text)
        case .backspace:
            // As in less: behind the first letter it leaves.
            if line.text.isEmpty { return finishTyping(line, isTaken: false) }
            line.text.removeLast()
        case .control("u"): line.text = ""
        case .control("w"): line.text = Self.withoutLastWord(line.text)
        case .enter: return finishTyping(line, isTaken: true)
        case .escape: return finishTyping(line, isTaken: false)
        case .down, .up:
            guard case .filter = line.purpose else { return [] }
            _ = finishTyping(line, isTaken: true)
            return inList(key)
        default: return []
        }
        line.text = String(line.text.prefix(Typing.charactersMax))
        typing = line
        if case .filter = line.purpose { filter = TopFilter(text: line.text) }
        return []
    }

    private static func withoutLastWord(_ text: String) -> String {
        var rest = text[...]
        while rest.last == " " { rest.removeLast() }
        while let last = rest.last, last != " " { rest.removeLast() }
        return String(rest)
    }

    private mutating func finishTyping(_ line: Typing, isTaken: Bool) -> [TopWish] {
        typing = nil
        switch line.purpose {
        case .filter(let before): filter = TopFilter(text: isTaken ? line.text : before)
        case .search:
            guard isTaken else { return [] }
            changeLog { view in
                view.search = TextSearch(line.text)
                view.remark = ""
                view.find(forwards: true, includingTop: true)
            }
        }
        return []
    }

    // MARK: - Pages

    private mutating func inHelp(_ first: Int, _ key: Key) -> [TopWish] {
        if key == .character("?") {
            page = .list
        } else if let line = scrolled(first, key, end: TopDrawing.helpEnd(layout)) {
            page = .help(first: line)
        }
        return []
    }

    private mutating func inWhy(_ job: String, _ sentences: [String], _ first: Int, _ key: Key) -> [TopWish] {
        let count = sentences.reduce(0) { $0 + wrappedWords($1, into: TopDrawing.whyWidth(layout.size)).count + 1 }
        if key == .character("w") {
            page = .list
        } else if let line = scrolled(first, key, end: max(0, count - layout.pageRows.count)) {
            page = .why(job: job, sentences: sentences, first: line)
        }
        return []
    }

    /// The first line of a page of text after a key; nil where the key closes the page, which is done.
    private mutating func scrolled(_ first: Int, _ key: Key, end: Int) -> Int? {
        let height = layout.pageRows.count
        let line: Int
        switch key {
        case .down, .character("j"), .mouse(.wheelDown): line = first + 1
        case .up, .character("k"), .mouse(.wheelUp): line = first - 1
        case .pageDown, .character(" "): line = first + height
        case .pageUp: line = first - height
        case .home, .character("g"): line = 0
        case .end, .character("G"): line = end
        case .escape, .enter, .character("q"):
            page = .list
            return nil
        default: line = first
        }
        return max(0, min(line, end))
    }

    private mutating func inLog(_ key: Key) -> [TopWish] {
        guard case .log(let log) = page else { return [] }
        let height = log.size.rows
        switch key {
        case .down, .character("j"), .enter: changeLog { $0.move(by: 1) }
        case .up, .character("k"): changeLog { $0.move(by: -1) }
        case .pageDown, .character(" "), .control("f"): changeLog { $0.move(by: height - 1) }
        case .pageUp, .character("b"), .control("b"): changeLog { $0.move(by: 1 - height) }
        case .home, .character("g"): changeLog { $0.goToStart() }
        case .end, .character("G"): changeLog { $0.goToEnd() }
        case .left: changeLog { $0.moveSideways(by: -1) }
        case .right: changeLog { $0.moveSideways(by: 1) }
        case .character("w"): changeLog { $0.toggleWrap() }
        case .character("n"): changeLog { $0.find(forwards: true) }
        case .character("N"): changeLog { $0.find(forwards: false) }
        case .character("/"): typing = Typing(purpose: .search, text: "")
        case .character("c"):
            if let run = log.run, !log.hasEnded { question = Question(run: run, job: log.job) }
        case .escape where log.search != nil:
            changeLog { view in
                view.search = nil
                view.remark = ""
            }
        case .escape, .character("q"), .character("l"):
            page = .list
            return [.closeLog]
        default: break
        }
        return []
    }
}
