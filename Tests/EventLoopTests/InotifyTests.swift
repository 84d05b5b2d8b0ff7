import CLinux
import Glibc
import TestSupport
import Testing

@testable import EventLoop

/// Watches that come and go while events of theirs wait to be read.
@Suite struct InotifyTests {
    private let scratch: ScratchFolder
    private let loop: EventLoop

    init() throws {
        scratch = try ScratchFolder()
        loop = try EventLoop()
    }

    private func make(_ name: String) {
        close(open(scratch.path + "/" + name, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600))
    }

    /// Turns the loop until nothing is ready.
    private func settle() throws {
        for _ in 0..<10_000 where try !loop.runOnce(timeoutUSec: 0) { return }
        Issue.record("the loop never comes to rest")
    }

    /// A home folder whose first subfolder is made: the watch that waited for it goes, another on the folder stays, and
    /// what happened meanwhile is wanted by nobody. The daemon turned in circles until its watchdog killed it.
    @Test func eventsThatNobodyWantsAnyMoreAreLetGo() throws {
        var heard: [String] = []
        let narrow = try loop.inotify(path: scratch.path, [.selfDeleted, .selfMoved]) { heard.append("narrow \($0)") }
        var wide: [InotifySource] = []
        wide.append(
            try loop.inotify(path: scratch.path, [.created]) {
                heard.append("created \($0.name)")
                wide = []
            })
        for name in ["a", "b", "c"] { make(name) }
        try settle()
        #expect(heard == ["created a"])
        _ = narrow
    }

    @Test func whatNobodyWantsWakesNobody() throws {
        let stays = try loop.inotify(path: scratch.path, .movedTo) { _ in Issue.record("it was told") }
        let goes = try loop.inotify(path: scratch.path, .created) { _ in }
        goes.cancel()
        make("a")
        #expect(try !loop.runOnce(timeoutUSec: 50_000), "the watch still tells of files that are made")
        stays.cancel()
        rename(scratch.path + "/a", scratch.path + "/b")
        #expect(try !loop.runOnce(timeoutUSec: 50_000))
    }

    /// The path of the one that stays names another folder by now, which is watched, too.
    @Test func aWatchIsNarrowedByNoOtherFile() throws {
        for name in ["one", "two"] { try TestFile.makeFolder(scratch.path + "/" + name) }
        var heard: [String] = []
        let moved = try loop.inotify(path: scratch.path + "/one", .movedTo) { heard.append("moved \($0.name)") }
        let made = try loop.inotify(path: scratch.path + "/one", .created) { _ in Issue.record("it was told") }
        let other = try loop.inotify(path: scratch.path + "/two", .created) { heard.append("made \($0.name)") }
        rename(scratch.path + "/one", scratch.path + "/gone")
        rename(scratch.path + "/two", scratch.path + "/one")
        made.cancel()
        make("one/a")
        make("gone/b")
        rename(scratch.path + "/one/a", scratch.path + "/gone/c")
        try settle()
        #expect(heard == ["made a", "moved c"])
        _ = (moved, other)
    }

    @Test func theLastOneMayGoInItsOwnHandler() throws {
        var sources: [InotifySource] = []
        sources.append(try loop.inotify(path: scratch.path, .created) { _ in sources = [] })
        for name in ["a", "b"] { make(name) }
        try settle()
        #expect(sources.isEmpty)
        // And others may come.
        var count = 0
        sources.append(try loop.inotify(path: scratch.path, .created) { _ in count += 1 })
        make("c")
        try settle()
        #expect(count == 1)
    }

    /// Watches of random kinds on a few folders come and go, in handlers, too, while files are made, moved and removed:
    /// the loop comes to rest each time, and who stayed has heard all that it wanted.
    @Test(arguments: 0..<20) func watchesComeAndGo(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let folders = ["x", "y", "z"]
        for name in folders { try TestFile.makeFolder(scratch.path + "/" + name) }
        let kinds: [FileEvents] = [
            [.created], [.deleted], [.created, .deleted], [.movedTo, .movedFrom], [.selfDeleted],
        ]
        final class Watcher {
            var source: InotifySource?
            var heard: [FileEvent] = []
            var wanted: [FileEvent] = []
        }
        var watchers: [Watcher] = []
        for round in 0..<30 {
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let watcher = Watcher()
                let goes = Int.random(in: 0..<4, using: &random) == 0
                let folder = folders.randomElement(using: &random) ?? ""
                let events = kinds.randomElement(using: &random) ?? []
                watcher.source = try loop.inotify(path: scratch.path + "/" + folder, events) { [weak watcher] event in
                    watcher?.heard.append(event)
                    if goes { watcher?.source = nil }
                }
                if !goes { watchers.append(watcher) }
            }
            if let index = watchers.indices.randomElement(using: &random), Bool.random(using: &random) {
                watchers.remove(at: index)
            }
            for step in 0..<Int.random(in: 1...8, using: &random) {
                let folder = folders.randomElement(using: &random) ?? ""
                let name = "\(round)-\(step)"
                let path = "\(scratch.path)/\(folder)/\(name)"
                make("\(folder)/\(name)")
                unlink(path)
                for watcher in watchers where watcher.source?.path == "\(scratch.path)/\(folder)" {
                    for event in [FileEvents.created, .deleted] where watcher.source?.events.contains(event) ?? false {
                        watcher.wanted.append(FileEvent(events: event, name: name))
                    }
                }
            }
            try settle()
            for watcher in watchers { #expect(watcher.heard == watcher.wanted, "seed \(seed), round \(round)") }
        }
    }
}
