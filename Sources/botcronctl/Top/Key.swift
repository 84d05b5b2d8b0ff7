/// What a person typed, or a terminal answered.
enum Key: Hashable, Sendable {
    case character(Character)
    /// With Ctrl, by its letter.
    case control(Character)
    case up, down, left, right
    case pageUp, pageDown, home, end
    case tab, backTab
    case enter, escape, backspace, delete
    /// Text that was pasted, as one.
    case pasted(String)
    case mouse(Mouse)
    /// What a terminal says of one of its private modes (DECRPM): 1 and 2 mean that it has it.
    case modeReport(mode: Int, state: Int)

    enum Mouse: Hashable, Sendable {
        case click(column: Int, row: Int)
        case wheelUp, wheelDown
    }
}
