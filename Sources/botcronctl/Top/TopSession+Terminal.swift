import Contract
import EventLoop
import Glibc

/// The terminal as it is taken, given away and taken back.
extension TopSession {
    /// All of it is drawn anew, as large as it is now.
    func resized() {
        if editor == nil { repaint() }
    }

    func suspend() {
        // The editor stops, and all that belongs to it with it.
        guard editor == nil else { return RawTerminal.stop() }
        terminal.leave()
        RawTerminal.stop()
        // Without it there is a signal that ends us, and it comes next.
        if RawTerminal.isInForeground { enterAgain() }
    }

    func continued() {
        guard editor == nil else { return }
        terminal.enterAnew()
        resized()
    }

    private func enterAgain() {
        terminal.enter()
        if case .log = model.page {} else { setMouse(true) }
        repaint()
    }

    /// In a log the mouse selects text, as it does everywhere without us.
    func setMouse(_ isOn: Bool) { if usesMouse { terminal.setMouse(isOn) } }

    // MARK: - The editor

    /// Gives the terminal to `botcronctl edit`, and takes it back when that has ended.
    func edit(_ job: String) {
        keyboard?.cancel()
        terminal.leave()
        do throws(Failure) {
            editor = try EditorProcess.start(job, context.options)
            editedJob = job
        } catch {
            model.said = TopModel.Said(line: TopWish.edit(job: job).commandLine ?? "", outcome: .failed(error.message))
            takeTerminalBack()
        }
    }

    func editorMayHaveEnded() {
        guard let pid = editor else { return }
        var status: Int32 = 0
        guard waitpid(pid, &status, WNOHANG) == pid else { return }
        model.said = TopModel.Said(
            line: TopWish.edit(job: editedJob).commandLine ?? "",
            outcome: status == 0 ? .done("the editor has ended") : .failed("\(editedJob) is as it was"))
        reader?.stale([editedJob])
        takeTerminalBack()
    }

    private func takeTerminalBack() {
        editor = nil
        do {
            try listenToKeys()
        } catch {
            return finish(ExitCode.failure)
        }
        enterAgain()
    }
}
