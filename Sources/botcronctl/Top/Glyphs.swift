/// The signs that the screen is drawn with. Those of the Linux console are in code page 437 or ASCII, which is what its
/// fonts have.
struct Glyphs: Sendable, Equatable {
    var good = "✓"
    var bad = "✕"
    var active = "●"
    /// It waits for its turn or a condition.
    var waiting = "○"
    /// What was not run.
    var omitted = "·"
    var cancelled = "–"
    /// Before the row that is selected.
    var selected = "›"
    var ellipsis = "…"
    var rule = "─"
    var separator = "·"
    var full = "█"
    var empty = "░"
    /// By height.
    var bars = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

    static let unicode = Glyphs()
    static let console = Glyphs(
        good: "+", bad: "x", active: "*", waiting: "o", omitted: ".", cancelled: "-", selected: ">",
        ellipsis: "~", rule: "─", separator: "-", full: "█", empty: "░", bars: ["_", "▄", "█"])

    /// By the name of the terminal.
    static func of(terminal: String) -> Glyphs { terminal == "linux" ? .console : .unicode }
}
