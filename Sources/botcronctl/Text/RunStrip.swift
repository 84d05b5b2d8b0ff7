/// A job's last runs as bars: how high is how long each took, the colour and the sign are how it ended.
///
/// A failure is a cross and what was not run is a point, whatever the colours: a bar alone went well.
struct RunStrip {
    /// As many as fit beside a name, and as the page has.
    static let count = 30

    struct Bar: Equatable {
        let text: String
        let ink: CellStyle.Ink
    }

    /// Below it nobody sees whether it took long.
    private static let leastMilliseconds = 1_000

    /// - Parameters:
    ///   - runs: newest first; as many as there is room for.
    ///   - width: how many bars there is room for.
    /// - Returns: oldest first.
    static func bars(of runs: some Collection<RunFacts>, width: Int, _ glyphs: Glyphs) -> [Bar] {
        let shown = runs.prefix(max(0, width)).reversed()
        let longest = max(leastMilliseconds, shown.map { $0.milliseconds ?? 0 }.max() ?? 0)
        return shown.map { run in
            switch run.status {
            case "success":
                // What is read from the bus is anybody's number.
                let share = Double(run.milliseconds ?? 0) / Double(longest)
                let level = Int(max(0, min(share, 1)) * Double(glyphs.bars.count - 1))
                return Bar(text: glyphs.bars[level], ink: .good)
            case "failed", "timeout", "interrupted": return Bar(text: glyphs.bad, ink: .bad)
            case "queued": return Bar(text: glyphs.waiting, ink: .active)
            case "running", "retrying": return Bar(text: glyphs.active, ink: .active)
            case "cancelled": return Bar(text: glyphs.cancelled, ink: .warning)
            default: return Bar(text: glyphs.omitted, ink: .warning)
            }
        }
    }
}
