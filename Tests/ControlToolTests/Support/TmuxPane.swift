import Glibc
import TestSupport

/// A terminal that a program is driven on as a person would: a pane of tmux, typed into and read.
final class TmuxPane {
    private let socket: String
    private let environment: [String]

    /// Starts a shell with job control in it.
    init(_ stage: Stage, columns: Int, rows: Int, environment more: [String] = []) throws {
        socket = stage.path("tmux")
        environment = more + stage.environment + ["SHELL=/bin/bash"]
        try tmux(
            "new-session", "-d", "-x", "\(columns)", "-y", "\(rows)", "-c", stage.folder,
            "bash --norc --noprofile -i")
        try tmux("set-option", "-g", "status", "off")
        type("PS1='ready> '\n")
        _ = try screen(with: "ready>")
    }

    deinit { _ = try? tmux("kill-server") }

    @discardableResult
    func tmux(_ arguments: String...) throws -> String {
        let outcome = try TestProgram(
            ["tmux", "-S", socket, "-f", "/dev/null"] + arguments, environment: environment
        ).finish()
        guard outcome.code == 0 else { throw TestFailure("tmux \(arguments): \(outcome)") }
        return outcome.output
    }

    // MARK: - Typing

    /// Letter by letter, as they are.
    func type(_ text: String) { _ = try? tmux("send-keys", "-l", "--", text) }

    /// By its name: `Enter`, `Escape`, `C-z`.
    func press(_ keys: String...) { for key in keys { _ = try? tmux("send-keys", key) } }

    // MARK: - Reading

    var screen: String { (try? tmux("capture-pane", "-p")) ?? "" }
    /// With the sequences that its colours are made of.
    var styledScreen: String { (try? tmux("capture-pane", "-p", "-e")) ?? "" }
    var rows: [String] { screen.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }

    func value(_ format: String) -> String { ((try? tmux("display-message", "-p", format)) ?? "").trimmedEnd }

    /// Whether the terminal is as a shell wants it: its own screen, its cursor, whole lines that are echoed.
    var isGivenBack: Bool {
        value("#{alternate_on} #{cursor_flag} #{mouse_any_flag}") == "0 1 0"
    }

    /// Waits until the screen is like that.
    @discardableResult
    func wait(_ what: String, until isThere: (String) -> Bool) throws -> String {
        let deadline = time(nil) + TestProgram.deadlineSeconds
        while true {
            let text = screen
            if isThere(text) { return text }
            guard time(nil) < deadline else { throw TestFailure("no \(what) on the screen:\n\(text)") }
            // A terminal tells nobody of what it shows.
            usleep(50_000)
        }
    }

    @discardableResult
    func screen(with text: String) throws -> String { try wait(text) { $0.contains(text) } }

    @discardableResult
    func screen(without text: String) throws -> String { try wait("absence of \(text)") { !$0.contains(text) } }

    /// Keeps what is seen, for a person to look at.
    func takePicture(_ name: String) throws {
        let folder = TestPlace.package + "/.build/pictures"
        try TestFile.makeFolder(folder)
        try TestFile.write(styledScreen, to: "\(folder)/\(name).ansi", mode: 0o644)
    }
}

extension String {
    fileprivate var trimmedEnd: String { String(reversed().drop { $0 == "\n" || $0 == " " }.reversed()) }
}
