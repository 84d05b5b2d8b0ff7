import Client
import Contract
import EventLoop
import Glibc
import JSON
import Schedules

/// `top` on a terminal: turns keys, news and time into changes of the model, and the model into what the terminal
/// shows. It wakes for a key, for a signal of the daemon, and as often as a text on the screen is another one.
final class TopSession {
    /// How long an escape is waited on, whether it is the begin of a sequence.
    private static let escapeUSec: UInt64 = 50_000
    /// How long after the bus was lost it is looked for again.
    private static let reconnectUSec: UInt64 = 5_000_000
    /// How often the progress of runs that are seen is asked for.
    private static let progressUSec: UInt64 = 5_000_000
    /// A fire time that has passed for so long without news is asked about.
    private static let overdueSeconds: Int64 = 2

    let context: Context
    let terminal: RawTerminal
    private let glyphs: Glyphs
    let usesMouse: Bool
    private var diff: CanvasDiff
    var model: TopModel
    /// What the terminal shows; nil where that is not known.
    var shown: Canvas?
    private var keyReader = KeyReader()
    private(set) var client: Client?
    private(set) var reader: TopReader?
    var logReader: TopLogReader?
    /// Whether the terminal is the editor's.
    var editor: pid_t?
    var editedJob = ""
    /// Of the last action, so that the answer to an earlier one says nothing any more.
    var lastWish = 0

    private var seenRuns: [String] = []
    private var progressAt: UInt64 = 0
    private var askedAbout: Set<String> = []

    private var loop: EventLoop?
    var keyboard: IOSource?
    private var signals: [EventSource] = []
    var drawing: DeferredSource?
    private var beat: TimerSource?
    private var escape: TimerSource?
    private var reconnect: TimerSource?

    init(_ context: Context, _ terminal: RawTerminal, _ glyphs: Glyphs, usesMouse: Bool) {
        self.context = context
        self.terminal = terminal
        self.glyphs = glyphs
        self.usesMouse = usesMouse
        diff = CanvasDiff(hasColor: context.screen.isColorful)
        model = TopModel(size: terminal.size)
    }

    // MARK: - Its life

    /// Until somebody quits, or a signal ends it.
    func run() throws(Failure) -> Int32 {
        let loop: EventLoop
        do {
            loop = try EventLoop()
            self.loop = loop
            try listen(loop)
        } catch {
            throw .broken("\(error)")
        }
        // Where there is no bus at all, that is said as by every verb.
        do {
            try connect(loop)
        } catch {
            throw Failure(error)
        }
        terminal.enter()
        defer { end() }
        if usesMouse { terminal.setMouse(true) }
        drawing?.schedule()
        do {
            return try loop.run()
        } catch {
            throw .broken("\(error)")
        }
    }

    private func listen(_ loop: EventLoop) throws(EventLoopError) {
        for signal in [SIGTERM, SIGHUP] { try take(signal, loop) { [weak self] in self?.finish(128 + signal) } }
        // While the editor has the terminal, what is typed there is meant for it.
        for signal in [SIGINT, SIGQUIT] {
            try take(signal, loop) { [weak self] in if self?.editor == nil { self?.finish(128 + signal) } }
        }
        try take(SIGWINCH, loop) { [weak self] in self?.resized() }
        try take(SIGTSTP, loop) { [weak self] in self?.suspend() }
        try take(SIGCONT, loop) { [weak self] in self?.continued() }
        try take(SIGCHLD, loop) { [weak self] in self?.editorMayHaveEnded() }
        drawing = try loop.deferred(priority: .idle) { [weak self] in self?.draw() }
        beat = try loop.timer(.boottime) { [weak self] in self?.beaten() }
        escape = try loop.timer(.monotonic) { [weak self] in self?.escapeIsAlone() }
        reconnect = try loop.timer(.monotonic) { [weak self] in self?.connectAgain() }
        try listenToKeys()
    }

    private func take(_ signal: Int32, _ loop: EventLoop, _ handler: @escaping () -> Void) throws(EventLoopError) {
        signals.append(try loop.signal(signal, handler))
    }

    func listenToKeys() throws(EventLoopError) {
        keyboard = try loop?.watch(fd: STDIN_FILENO, .readable) { [weak self] _ in self?.typed() }
    }

    func finish(_ code: Int32) { loop?.exit(code) }

    private func end() {
        terminal.leave()
        keyboard?.cancel()
        logReader?.close()
        reader = nil
        // A loop that has ended takes no more work: first the connection, then what hangs on it.
        client?.close()
        signals = []
    }

    // MARK: - The daemon

    private func connect(_ loop: EventLoop) throws(ClientError) {
        let client = try Client(to: context.options.busAddress, loop: loop)
        self.client = client
        client.onDisconnected = { [weak self] in self?.busIsGone($0) }
        do {
            reader = try TopReader(client, context) { [weak self] change in self?.learn(change) }
        } catch {
            throw .internal(reason: "\(error)")
        }
        reader?.onNextRunChanged = { [weak self] in self?.soonestIsStale() }
    }

    private func busIsGone(_ reason: String) {
        let now = context.now
        learn { facts in
            if case .broken = facts.link { return }
            facts.link = .broken("the connection to the bus is lost", since: now)
        }
        if let loop { reconnect?.arm(atUSec: loop.now(.monotonic) + Self.reconnectUSec) }
    }

    private func connectAgain() {
        guard let loop else { return }
        logReader?.close()
        reader = nil
        client = nil
        do {
            try connect(loop)
            if case .log(let log) = model.page { openLog(log.job, log.run) }
        } catch {
            busIsGone(error.sentence)
        }
    }

    private func learn(_ change: (inout TopFacts) -> Void) {
        model.learn(change)
        drawing?.schedule()
    }

    private func soonestIsStale() {
        model.refresh()
        guard model.rows.listed(.next) > 0, let name = model.rows[.next, 0].subject.job else { return }
        reader?.stale([name])
    }

    // MARK: - Keys

    private func typed() {
        guard let bytes = terminal.read() else { return finish(128 + SIGHUP) }
        escape?.disarm()
        for key in keyReader.read(bytes) { handle(key) }
        if keyReader.isWaiting, let loop { escape?.arm(atUSec: loop.now(.monotonic) + Self.escapeUSec) }
    }

    private func escapeIsAlone() { for key in keyReader.flush() { handle(key) } }

    private func handle(_ key: Key) {
        if case .modeReport(2026, let state) = key {
            diff.isSynchronized = state == 1 || state == 2
            return
        }
        for wish in model.handle(key) { perform(wish) }
        drawing?.schedule()
    }

    func redraw() { drawing?.schedule() }

    func repaint() {
        shown = nil
        drawing?.schedule()
    }

    // MARK: - The picture

    private func draw() {
        guard editor == nil else { return }
        // What came before the signal of a new size is drawn for that size, too.
        let size = terminal.size
        if size != model.layout.size {
            model.resize(size)
            shown = nil
        }
        model.refresh()
        let picture = TopDrawing(model, glyphs, context.times)
        let bytes = diff.bytes(from: shown, to: picture.canvas)
        shown = picture.canvas
        guard bytes.isEmpty || terminal.write(bytes) else { return finish(128 + SIGHUP) }
        seenRuns = picture.lacks.seenRuns
        reader?.need(picture.lacks)
        arm(picture.beat)
    }

    private func arm(_ wanted: TopDrawing.Beat) {
        guard let loop else { return }
        let period: UInt64
        switch wanted {
        case .never:
            beat?.disarm()
            return
        case .seconds: period = 1_000_000
        case .minutes: period = 60_000_000
        }
        // When the figures of the wall clock change; the wait is on one that nobody sets.
        let now = UInt64(max(0, context.now.microseconds))
        beat?.arm(atUSec: loop.now(.boottime) + period - now % period)
    }

    private func beaten() {
        drawing?.schedule()
        guard let loop else { return }
        let now = loop.now(.monotonic)
        if !seenRuns.isEmpty, now >= progressAt + Self.progressUSec {
            progressAt = now
            reader?.staleRuns(seenRuns)
        }
        reader?.timePasses()
        askAboutOverdue()
    }

    /// A fire time passes without a signal where somebody else left it out, or where its run waits for its turn.
    private func askAboutOverdue() {
        let limit = context.now.seconds - Self.overdueSeconds
        model.refresh()
        for index in 0..<model.rows.listed(.next) {
            guard let name = model.rows[.next, index].subject.job, let at = model.facts.jobs[name]?.nextRun,
                at.seconds <= limit, askedAbout.insert("\(at.seconds) \(name)").inserted
            else { continue }
            reader?.stale([name])
        }
        if askedAbout.count > 1_000 { askedAbout = [] }
    }
}
