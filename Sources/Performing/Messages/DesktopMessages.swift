internal import Desktop
internal import EventLoop
internal import JSON
internal import Schedules
internal import Scheduling
internal import Store

/// The target `desktop`: what the session's notification server shows, and what a person answers with its buttons.
///
/// What is shown is kept in the store, with the server's unique name: a button works after a restart of the daemon, and
/// is nobody's after one of the server. Until the first message nobody is asked and nothing is listened to.
final class DesktopMessages {
    /// How long a message waits for a server.
    static let patience: Duration = .seconds(3600)
    private static let shownMax = 100

    private enum Button: String {
        case log = "default"
        case show, run, pause, end

        var label: String {
            switch self {
            case .log, .show: "Show log"
            case .run: "Run again"
            case .pause: "Pause job"
            case .end: "End it"
            }
        }
    }

    /// One that waits for a server.
    private struct Waiting {
        var message: Message
        var lastLine: String?
        var until: Instant
        var then: (MessageOutcome) -> Void
    }

    private let loop: EventLoop
    private let log: Log
    private let intake: any Intake & SchedulerReading
    private let store: any Store
    private let attempts: Attempts
    private let link: BusLink
    private var notifications: Notifications?
    private var shown: [ShownMessage] = []
    /// The server that has shown them.
    private var server = ""
    private var waiting: [Waiting] = []
    private var timer: TimerSource?
    /// Questions that the server has not said the number of: their messages, and whether they are over by now.
    private var arriving: [String: (run: String, isPast: Bool)] = [:]

    init(
        loop: EventLoop, log: Log, intake: any Intake & SchedulerReading, store: any Store, attempts: Attempts,
        link: BusLink
    ) {
        self.loop = loop
        self.log = log
        self.intake = intake
        self.store = store
        self.attempts = attempts
        self.link = link
    }

    /// Buttons of what an earlier daemon has shown work again.
    func begin() {
        guard let text = try? store.note(.desktop), let note = try? JSONValue(parsing: text) else { return }
        server = note["server"]?.stringValue ?? ""
        shown = (note["shown"]?.arrayValue ?? []).prefix(Self.shownMax).compactMap(ShownMessage.init)
        if !shown.isEmpty { _ = client() }
    }

    // MARK: - Showing

    func show(
        _ message: Message, lastLine: String?, patience: Duration, then: @escaping (MessageOutcome) -> Void
    ) {
        let client = client()
        guard client.server == nil else { return show(message, lastLine, on: client, then: then) }
        let until = message.createdAt + patience
        waiting.append(Waiting(message: message, lastLine: lastLine, until: until, then: then))
        // The client is this object's own, and calls nobody once it is gone.
        if waiting.count == 1 { client.whenThere { [unowned self] in showWaiting() } }
        awaitEnd()
    }

    private func client() -> Notifications {
        if let notifications { return notifications }
        let client = Notifications(on: link, icon: "com.aiworkflow.BotCron")
        // The client is this object's own, and calls nobody once it is gone.
        client.onServer = { [unowned self] in serverIs($0) }
        // As above.
        client.onClosed = { [unowned self] in forget($0) }
        // As above.
        client.onPressed = { [unowned self] in pressed($0, $1, token: $2) }
        notifications = client
        return client
    }

    private func showWaiting() {
        let ready = waiting
        waiting = []
        timer?.disarm()
        let client = client()
        for entry in ready { show(entry.message, entry.lastLine, on: client, then: entry.then) }
    }

    /// Those that have waited for too long are given up.
    private func awaitEnd() {
        guard let end = waiting.map(\.until).min() else { return }
        if timer == nil {
            // The timer goes with its owner, this object.
            timer = try? loop.timer(.boottime, accuracyUSec: 1_000_000) { [unowned self] in giveUpOld() }
        }
        // The clock may have been set meanwhile.
        let left = max(.zero, end - intake.now)
        timer?.arm(atUSec: loop.now(.boottime) + UInt64(min(left, Self.patience).wholeMicroseconds))
    }

    private func giveUpOld() {
        let now = intake.now
        let old = waiting.filter { $0.until <= now }
        waiting.removeAll { $0.until <= now }
        for entry in old { entry.then(.refused("no notification server is there, and none has come")) }
        awaitEnd()
    }

    private func show(
        _ message: Message, _ lastLine: String?, on client: Notifications, then: @escaping (MessageOutcome) -> Void
    ) {
        var note = Notifications.Note(summary: message.title, body: message.text)
        if let lastLine, !message.text.hasSuffix(lastLine) { note.body += "\n" + lastLine }
        switch message.occasion {
        case .success, .recovered: (note.urgency, note.isTransient) = (0, true)
        case .changed, .start: note.urgency = 0
        case .asked: note.urgency = 2
        case .failure, .firstFailure, .paused: note.sound = "dialog-error"
        case .misfired, .stalled, .late, .retry: break
        }
        note.buttons = choices(of: message) + buttons(of: message).map { ($0.rawValue, $0.label) }
        if !message.job.isEmpty { note.replaced = shown.last { $0.job == message.job }?.number ?? 0 }
        if message.occasion == .asked { arriving[message.id] = (message.run, false) }
        // The client is this object's own, and calls nobody once it is gone.
        client.show(note) { [unowned self] result in
            let isPast = arriving.removeValue(forKey: message.id)?.isPast ?? false
            switch result {
            case .success(let number):
                if isPast {
                    // In its place may have been another one, which is gone with it.
                    forget(number)
                    client.close(number)
                } else if !message.run.isEmpty {
                    remember(ShownMessage(number, message))
                }
                then(.sent)
            case .failure(let error): then(.failed("the notification server: \(error.message)"))
            }
        }
    }

    private func buttons(of message: Message) -> [Button] {
        guard !message.run.isEmpty else { return [] }
        guard !message.job.isEmpty, intake.definition(of: message.job) != nil else { return [.log, .show] }
        switch message.occasion {
        case .stalled: return [.log, .end, .show]
        case .asked: return [.log, .show]
        default: return [.log, .run, .show, .pause]
        }
    }

    /// A button for each choice of what the run asks by now.
    private func choices(of message: Message) -> [(name: String, label: String)] {
        guard message.occasion == .asked, let question = intake.activeRun(id: message.run)?.openQuestion else {
            return []
        }
        return question.choices.enumerated().map { index, choice in
            ("\(Self.answer)\(question.attempt).\(question.number).\(index)", choice)
        }
    }

    /// What the names of such buttons begin with; then come the attempt, the question, and the choice.
    private static let answer = "answer."

    // MARK: - What is shown

    private func serverIs(_ name: String) {
        guard name != server else { return withdrawPast() }
        server = name
        guard !shown.isEmpty else { return }
        shown = []
        keep()
    }

    private func remember(_ new: ShownMessage) {
        shown.removeAll { $0.number == new.number }
        shown.append(new)
        if shown.count > Self.shownMax { shown.removeFirst() }
        keep()
    }

    private func forget(_ number: UInt32) {
        guard shown.contains(where: { $0.number == number }) else { return }
        shown.removeAll { $0.number == number }
        keep()
    }

    /// That it is not kept costs a button that does nothing after a restart.
    private func keep() {
        let note: JSONValue = ["server": .string(server), "shown": .array(shown.map(\.json))]
        try? store.keep(shown.isEmpty ? nil : note.compactText, as: .desktop)
    }

    // MARK: - Questions that are over

    func withdraw(run: String) {
        let past = waiting.filter { $0.message.occasion == .asked && $0.message.run == run }
        waiting.removeAll { $0.message.occasion == .asked && $0.message.run == run }
        for entry in past { entry.then(.refused(MessageOutcome.past)) }
        for (id, entry) in arriving where entry.run == run { arriving[id]?.isPast = true }
        close { $0.run == run }
    }

    /// Questions that were answered before a daemon ended that could not take them away any more.
    private func withdrawPast() {
        close { intake.activeRun(id: $0.run)?.openQuestion == nil }
    }

    /// Where the server is not known to be there they are looked at when it is.
    private func close(_ isPast: (ShownMessage) -> Bool) {
        guard let notifications, notifications.server != nil else { return }
        let past = shown.filter { $0.isAsking && isPast($0) }
        guard !past.isEmpty else { return }
        shown.removeAll { entry in past.contains { $0.number == entry.number } }
        keep()
        for entry in past { notifications.close(entry.number) }
    }

    // MARK: - Buttons

    private func pressed(_ number: UInt32, _ name: String, token: String?) {
        guard let entry = shown.last(where: { $0.number == number }) else { return }
        if name.hasPrefix(Self.answer) { return answer(entry, name) }
        guard let button = Button(rawValue: name) else { return }
        log.info("a button of a notification", [("BOTCRON_JOB", entry.job), ("BOTCRON_BUTTON", button.label)])
        switch button {
        case .log, .show: showLog(of: entry.run, token)
        case .run: ask { .runRequested(RunRequest(job: entry.job), ticket: $0) }
        case .pause: ask { .jobToggled(job: entry.job, isEnabled: false, until: nil, ticket: $0) }
        case .end: ask { .cancelRequested(run: entry.run, ticket: $0) }
        }
    }

    /// The question that the button was for may be answered, and the run ask another one by now.
    private func answer(_ entry: ShownMessage, _ name: String) {
        let numbers = name.dropFirst(Self.answer.count).split(separator: ".").compactMap { Int($0) }
        guard numbers.count == 3, let question = intake.activeRun(id: entry.run)?.openQuestion,
            (question.attempt, question.number) == (numbers[0], numbers[1]),
            question.choices.indices.contains(numbers[2])
        else { return log.info("a button of a question that is not open any more", [("BOTCRON_JOB", entry.job)]) }
        let choice = question.choices[numbers[2]]
        log.info("a button of a notification", [("BOTCRON_JOB", entry.job), ("BOTCRON_BUTTON", choice)])
        ask { .questionAnswered(run: entry.run, choice: choice, by: "desktop", ticket: $0) }
    }

    private func ask(_ request: @escaping (Ticket) -> Event) {
        intake.ask(request) { [log] settlement in
            guard case .reply(.refused(let refusal)) = settlement else { return }
            log.warning("what a notification's button asks for is refused", [("BOTCRON_ERROR", "\(refusal)")])
        }
    }

    /// In a terminal of the session: the first of these programs that is there.
    private func showLog(of run: String, _ token: String?) {
        let script = """
            for terminal in xdg-terminal-exec "x-terminal-emulator -e"; do
                command -v "${terminal%% *}" >/dev/null && exec $terminal sh -c 'botcronctl logs "$1"; read -r _' sh "$1"
            done
            echo "no terminal: install xdg-terminal-exec or an x-terminal-emulator" >&2
            exit 69
            """
        var variables: [String: String] = [:]
        variables["XDG_ACTIVATION_TOKEN"] = token
        attempts.open(["/bin/sh", "-c", script, "sh", run], named: run + Attempts.logSuffix, with: variables)
    }
}
