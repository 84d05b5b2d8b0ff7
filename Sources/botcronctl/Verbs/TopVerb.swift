import Contract
import Glibc

/// `top`: everything at a glance, on the whole screen.
extension Verb {
    static let top = Verb(
        "top", "all jobs on the whole screen: what needs a look, runs, comes next; keys to act",
        details: """
            What needs a look, what runs, what comes next, and all jobs with their last thirty runs as bars. Keys run,
            cancel and skip, show logs as they come, say why, and filter; ? shows them all. The last line but one is the
            command line that does the same. The terminal gets its screen back however it ends.

            With --plain, on a terminal named dumb, and where standard input or output is no terminal, it says in words
            how things are and prints a line for each change, without moving the cursor.
            """,
        options: [
            Option("--plain", "a line for each change, for screen readers and logs"),
            Option("--mouse", "a click selects, the wheel scrolls; the terminal then selects text with Shift"),
        ],
        run: showTop)
}

private func showTop(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    guard !context.screen.isJSON else {
        throw request.usage("top is for people; for programs there is monitor --json")
    }
    let name = variable("TERM") ?? ""
    let isScreen = isatty(STDIN_FILENO) == 1 && context.screen.isTerminal && !name.isEmpty && name != "dumb"
    guard isScreen, !request.has("--plain"), let terminal = RawTerminal(name: name) else {
        return try showTopInLines(context)
    }
    let session = TopSession(
        context, terminal, Glyphs.of(terminal: name), usesMouse: request.has("--mouse"))
    return try session.run()
}
