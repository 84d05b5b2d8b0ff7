import CLinux
import Glibc
import TestSupport
import Testing

@testable import EventLoop

/// A configuration behind links and folders that others swap, move, mount and lock.
@Suite struct FileWatchTests {
    /// `P` stands for the scratch folder. Before: what there is when the watch begins; change: what must be told, each
    /// line for itself.
    struct Story: Sendable, CustomTestStringConvertible {
        var name: String
        var path = "P/a/b/file"
        var before = "mkdir -p P/a/b; echo one > P/a/b/file"
        var changes: [String]

        var testDescription: String { name }
    }

    static let stories = [
        Story(name: "written in place", changes: ["echo two > P/a/b/file"]),
        Story(name: "renamed over", changes: ["echo two > P/new; mv P/new P/a/b/file", "echo 3 > P/a/b/file"]),
        Story(name: "removed and made", changes: ["rm P/a/b/file", "echo two > P/a/b/file"]),
        Story(name: "rights of the file", changes: ["chmod 000 P/a/b/file", "chmod 600 P/a/b/file"]),
        Story(name: "rights of its folder", changes: ["chmod 700 P/a/b", "chmod 755 P/a/b"]),
        Story(
            name: "its folder moved away and back",
            changes: ["mv P/a/b P/gone", "mv P/gone P/a/b", "echo two > P/a/b/file"]),
        Story(
            name: "a parent moved away and back", changes: ["mv P/a P/gone", "mv P/gone P/a", "echo two > P/a/b/file"]),
        Story(
            name: "a parent replaced by another",
            changes: ["mkdir -p P/c/b; mv P/a P/old; mv P/c P/a", "echo two > P/a/b/file"]),
        Story(
            name: "folders made later", before: "true",
            changes: ["mkdir P/a", "mkdir P/a/b", "echo one > P/a/b/file", "echo two > P/a/b/file"]),
        Story(
            name: "folders made at once", before: "true",
            changes: [
                "mkdir -p P/a/b; echo one > P/a/b/file",
                "echo two > P/a/b/file",
            ]),
        Story(
            name: "everything removed and made anew",
            changes: ["rm -r P/a", "mkdir -p P/a/b; echo one > P/a/b/file", "echo two > P/a/b/file"]),
        Story(
            name: "a link led elsewhere by ln -sfn", path: "P/l/file",
            before: "mkdir P/one P/two; echo 1 > P/one/file; echo 2 > P/two/file; ln -s one P/l",
            changes: ["ln -sfn two P/l", "echo 3 > P/two/file", "ln -sfn P/one P/l", "echo 3 > P/one/file"]),
        Story(
            name: "a link renamed over", path: "P/l/file",
            before: "mkdir P/one P/two; echo 1 > P/one/file; echo 2 > P/two/file; ln -s one P/l",
            changes: ["ln -s two P/m; mv -T P/m P/l", "echo 3 > P/two/file"]),
        Story(
            name: "what a link leads to swapped, as volumes are", path: "P/v/file",
            before: "mkdir P/d1 P/d2; echo 1 > P/d1/file; echo 2 > P/d2/file; ln -s d1 P/data; ln -s data/file P/f; "
                + "mkdir P/v; ln -s ../data/file P/v/file",
            changes: ["ln -s d2 P/tmp; mv -T P/tmp P/data", "echo 3 > P/d2/file", "rm P/v/file", "echo 4 > P/v/file"]),
        Story(
            name: "links to links, each swapped", path: "P/x/file",
            before:
                "mkdir -p P/r/s P/q/s; echo 1 > P/r/s/file; echo 2 > P/q/s/file; ln -s r P/z; ln -s z/s P/y; ln -s y P/x",
            changes: [
                "ln -sfn q P/z", "echo 3 > P/q/s/file", "ln -sfn r/s P/y", "ln -sfn q/s P/x", "echo 4 > P/q/s/file",
            ]),
        Story(
            name: "a link to nothing yet", path: "P/l/file", before: "ln -s later P/l",
            changes: ["mkdir P/later", "echo 1 > P/later/file", "echo 2 > P/later/file"]),
        Story(
            name: "a circle of links, until it is none", path: "P/l/file", before: "ln -s m P/l; ln -s l P/m",
            changes: ["mkdir P/d; echo 1 > P/d/file; ln -sfn d P/m", "echo 2 > P/d/file"]),
        Story(
            name: "a file where a folder should be", before: "echo x > P/a",
            changes: ["rm P/a", "mkdir -p P/a/b; echo 1 > P/a/b/file", "echo 2 > P/a/b/file"]),
        Story(
            name: "dots on the way", path: "P/a/../a/./b/file", changes: ["echo 2 > P/a/b/file", "mv P/a P/c"]),
    ]

    @Test(arguments: stories) func whateverChangesWhatThePathNamesIsTold(_ story: Story) throws {
        let folder = try Scratch()
        try folder.shell(story.before)
        let loop = try EventLoop()
        var told = 0
        let watch = try FileWatch(folder.filled(story.path), on: loop) { told += 1 }
        try loop.turnWhileReady()
        for change in story.changes {
            told = 0
            try folder.shell(change)
            try loop.turn(until: "word of: \(change)") { told > 0 }
            try loop.turnWhileReady()
        }
        withExtendedLifetime(watch) {}
    }

    /// The folder above tells when they come.
    @Test func aFolderThatCannotBeReadIsSeenWhenItCan() throws {
        let folder = try Scratch()
        try folder.shell("mkdir -p P/a/b; echo 1 > P/a/b/file; chmod 755 P ; chmod 000 P/a")
        let loop = try EventLoop()
        var told = 0
        let watch = try withRightsThatCount { try FileWatch(folder.path + "/a/b/file", on: loop) { told += 1 } }
        try folder.shell("chmod 700 P/a")
        try loop.turn(until: "word of the rights") { told > 0 }
        told = 0
        try loop.turnWhileReady()
        try folder.shell("echo 2 > P/a/b/file")
        try loop.turn(until: "word of the file") { told > 0 }
        withExtendedLifetime(watch) {}
    }

    /// Whoever lost them fails to read, and looks again: then the folder above tells.
    @Test func rightsThatComeBackAreToldOnceTheLossWasMet() throws {
        let folder = try Scratch()
        try folder.shell("mkdir -p P/a/b; echo 1 > P/a/b/file")
        let loop = try EventLoop()
        var told = 0
        let watch = try FileWatch(folder.path + "/a/b/file", on: loop) { told += 1 }
        try folder.shell("chmod 755 P ; chmod 000 P/a")
        withRightsThatCount { watch.lookAgain() }
        #expect(told == 1, "the path names nothing now")
        try folder.shell("chmod 755 P/a")
        try loop.turn(until: "word of the rights") { told > 1 }
        withExtendedLifetime(watch) {}
    }

    @Test func whatHappensBesideThePathIsNotTold() throws {
        let folder = try Scratch()
        try folder.shell("mkdir -p P/a/b; echo one > P/a/b/file")
        let loop = try EventLoop()
        var told = 0
        let watch = try FileWatch(folder.path + "/a/b/file", on: loop) { told += 1 }
        try loop.turnWhileReady()
        told = 0
        try folder.shell(
            "echo 1 > P/a/b/other; mkdir P/a/c; echo 1 > P/x; cat P/a/b/file > /dev/null; chmod 600 P/a/b/other")
        try loop.turnWhileReady()
        #expect(told == 0)
        withExtendedLifetime(watch) {}
    }

    /// A home folder is on the way, or /tmp: what goes on in it all day wakes nobody, be it rights, links or folders.
    @Test func whatHappensInTheFoldersOnTheWayWakesNobody() throws {
        let folder = try Scratch()
        try folder.shell("mkdir -p P/a/b P/c; echo one > P/a/b/file; ln -s ../a/b P/c/l")
        let loop = try EventLoop()
        let watches = try ["/a/b/file", "/c/l/file"].map { try FileWatch(folder.path + $0, on: loop) {} }
        try loop.turnWhileReady()
        try folder.shell(
            "for d in P P/a P/c; do mkdir $d/x; chmod 700 $d/x; touch $d/x $d/y; chmod 600 $d/y; mv $d/y $d/z; "
                + "ln $d/z $d/w; rm $d/z $d/w; rmdir $d/x; done")
        #expect(try !loop.runOnce(timeoutUSec: 0))
        withExtendedLifetime(watches) {}
    }

    @Test func whoeverIsToldMayDropTheWatch() throws {
        let folder = try Scratch()
        try folder.shell("mkdir -p P/a/b; echo one > P/a/b/file")
        let loop = try EventLoop()
        var watch: FileWatch?
        var told = 0
        watch = try FileWatch(folder.path + "/a/b/file", on: loop) {
            told += 1
            watch = nil
        }
        try folder.shell("echo 2 > P/a/b/file; mv P/a P/b; echo 3 > P/b/b/file")
        try loop.turn(until: "one word") { told > 0 }
        try loop.turnWhileReady()
        #expect(told == 1)
        #expect(watch == nil)
    }

    /// A mount makes no event in any folder: it is looked for again, and told where it matters.
    @Test func lookingAgainTellsOnlyOfAnotherFile() throws {
        let folder = try Scratch()
        try folder.shell("mkdir -p P/a/b; echo one > P/a/b/file")
        let loop = try EventLoop()
        var told = 0
        let watch = try FileWatch(folder.path + "/a/b/file", on: loop) { told += 1 }
        watch.lookAgain()
        #expect(told == 0)
        // Behind the back of the loop, as a mount would.
        try folder.shell("mv P/a P/c; mkdir -p P/a/b; echo two > P/a/b/file")
        watch.lookAgain()
        #expect(told == 1)
        let mounts = try MountWatch(on: loop) {}
        withExtendedLifetime((watch, mounts)) {}
    }
}

/// As root every folder can be read: this thread is another user meanwhile, to file systems.
private func withRightsThatCount<Value>(_ body: () throws -> Value) rethrows -> Value {
    let nobody: uid_t = 65534
    guard getuid() == 0 else { return try body() }
    setfsuid(nobody)
    defer { setfsuid(0) }
    return try body()
}

/// A folder of its own, gone with it.
private final class Scratch {
    private let folder: ScratchFolder
    var path: String { folder.path }

    init() throws { folder = try ScratchFolder("botcron-watch") }

    /// The text with the folder in place of `P`, where that stands for a path.
    func filled(_ text: String) -> String {
        text.split(separator: " ", omittingEmptySubsequences: false).map { word in
            word == "P" || word.hasPrefix("P/") ? path + word.dropFirst() : String(word)
        }.joined(separator: " ")
    }

    func shell(_ script: String) throws {
        let child = try spawn(["/bin/sh", "-ec", filled(script)])
        var status: Int32 = 0
        guard waitpid(child.pid, &status, 0) == child.pid, status == 0 else {
            throw TestFailure("\(script): status \(status)")
        }
        close(child.pidfd)
    }
}
