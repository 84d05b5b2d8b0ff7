import CLinux
import Glibc
import TestSupport
import Testing

@testable import EventLoop

@Suite struct EventLoopTests {
    @Test func runReturnsTheCodeOfExit() throws {
        let loop = try EventLoop()
        let timer = try loop.timer(.monotonic) { loop.exit(7) }
        timer.arm(atUSec: loop.now(.monotonic) + 1000)
        #expect(try loop.run() == 7)
        #expect(throws: EventLoopError.self) { try loop.run() }
        timer.cancel()
    }

    @Test func aLoopThatHasEndedTakesChangesQuietly() throws {
        let loop = try EventLoop()
        let pipe = try Pipe()
        let deferred = try loop.deferred { loop.exit(0) }
        let timer = try loop.timer(.monotonic) {}
        let io = try loop.watch(fd: pipe.readEnd, .readable) { _ in }
        deferred.schedule()
        #expect(try loop.run() == 0)
        deferred.schedule()
        timer.arm(atUSec: 0)
        timer.disarm()
        io.modify(.writable)
        io.modify([])
        io.modify(.readable)
        loop.exit(1)
        #expect(throws: EventLoopError.self) { try loop.deferred {} }
        for source in [deferred, timer, io] as [EventSource] { source.cancel() }
    }

    @Test func anIdleLoopDoesNotWake() throws {
        let loop = try EventLoop()
        let pipe = try Pipe()
        let source = try loop.watch(fd: pipe.readEnd, .readable) { _ in }
        let far = try loop.timer(.realtime) {}
        far.arm(atUSec: loop.now(.realtime) + 3_600_000_000)
        let deferred = try loop.deferred {}
        let clock = try loop.clockChange {}
        var stopped = false
        let stop = try loop.timer(.monotonic) { stopped = true }
        // The first turns settle the timer fds; from then on one turn waits out the whole time.
        try loop.turnWhileReady()
        stop.arm(atUSec: loop.now(.monotonic) + 300_000)
        let before = loop.iterationCount
        try loop.turn(until: "the stop timer", lookingEvery: nil) { stopped }
        #expect(loop.iterationCount - before <= 2)
        withExtendedLifetime((source, far, deferred, clock, stop)) {}
    }

    @Test func timeIsThatOfTheClock() throws {
        let loop = try EventLoop()
        for clock in EventLoop.Clock.allCases {
            #expect(loop.now(clock) > 0, "\(clock)")
        }
        #expect(loop.now(.realtime) > 1_700_000_000_000_000)
        let monotonic = loop.now(.monotonic)
        #expect(loop.now(.boottime) >= monotonic)
    }

    // MARK: - fds

    @Test func anFDIsReportedWhileItIsReadyAndUntilCancelled() throws {
        let loop = try EventLoop()
        let pipe = try Pipe()
        var seen: [IOEvents] = []
        let source = try loop.watch(fd: pipe.readEnd, .readable) { seen.append($0) }
        #expect(try !loop.runOnce(timeoutUSec: 0))
        pipe.put()
        try loop.runOnce(timeoutUSec: 0)
        try loop.runOnce(timeoutUSec: 0)
        #expect(seen == [.readable, .readable])
        source.modify([])
        pipe.closeWriteEnd()
        #expect(try !loop.runOnce(timeoutUSec: 0))
        source.modify(.readable)
        try loop.runOnce(timeoutUSec: 0)
        #expect(seen.last == [.readable, .hangup])
        source.cancel()
        source.cancel()
        source.modify(.writable)
        #expect(source.isCancelled)
        #expect(try !loop.runOnce(timeoutUSec: 0))
    }

    @Test func aHandlerNeverRunsAfterCancelAlsoWhenReadyAlready() throws {
        let loop = try EventLoop()
        let pipes = try (0..<2).map { _ in try Pipe() }
        var sources: [IOSource] = []
        var count = 0
        for pipe in pipes {
            sources.append(
                try loop.watch(fd: pipe.readEnd, .readable) { _ in
                    count += 1
                    for source in sources { source.cancel() }
                })
            pipe.put()
        }
        try loop.turnWhileReady()
        #expect(count == 1)
    }

    @Test func droppingASourceInItsOwnHandlerIsSafe() throws {
        let loop = try EventLoop()
        let pipe = try Pipe()
        var source: IOSource?
        var count = 0
        source = try loop.watch(fd: pipe.readEnd, .readable) { _ in
            count += 1
            source = nil
        }
        pipe.put()
        try loop.turnWhileReady()
        #expect(count == 1)
        #expect(source == nil)
    }

    @Test func anFDThatCannotBeWatchedIsAnErrorThatSaysSo() throws {
        let loop = try EventLoop()
        let pipe = try Pipe()
        let first = try loop.watch(fd: pipe.readEnd, .readable) { _ in }
        let error = #expect(throws: EventLoopError.self) {
            try loop.watch(fd: pipe.readEnd, .readable) { _ in }
        }
        #expect(error?.code == EEXIST)
        #expect(error?.description.contains("fd \(pipe.readEnd)") == true)
        #expect(throws: EventLoopError.self) { try loop.watch(fd: -1, .readable) { _ in } }
        first.cancel()
    }

    // MARK: - Timers

    @Test func aTimerFiresOncePerArmAndMayRearmItself() throws {
        let loop = try EventLoop()
        var count = 0
        var timer: TimerSource?
        timer = try loop.timer(.boottime, accuracyUSec: 0) {
            count += 1
            if count < 5 { timer?.arm(atUSec: loop.now(.boottime) + 100) }
        }
        #expect(try !loop.runOnce(timeoutUSec: 0))
        timer?.arm(atUSec: 0)
        try loop.turn(until: "five firings") { count == 5 }
        #expect(try !loop.runOnce(timeoutUSec: 10_000))
        timer?.arm(atUSec: 0)
        timer?.disarm()
        #expect(try !loop.runOnce(timeoutUSec: 0))
        #expect(count == 5)
        timer = nil
    }

    @Test func aTimerIsNotEarlyAndNotAQuarterOfASecondLate() throws {
        let loop = try EventLoop()
        var fired: UInt64 = 0
        let timer = try loop.timer(.monotonic) { fired = loop.now(.monotonic) }
        let due = loop.now(.monotonic) + 20_000
        timer.arm(atUSec: due)
        try loop.turn(until: "the timer") { fired != 0 }
        #expect(fired >= due)
        // sd-event's own accuracy would let it be up to 250 ms late; a busy machine gets some of that.
        #expect(fired < due + 200_000)
    }

    @Test func anAlarmClockWorksOrSaysWhyNot() throws {
        let loop = try EventLoop()
        do {
            let timer = try loop.timer(.realtimeAlarm) {}
            timer.cancel()
        } catch {
            #expect([EOPNOTSUPP, EPERM].contains(error.code))
        }
    }

    // MARK: - Deferred work

    @Test func deferredWorkRunsOnceAfterTheHandlerThatScheduledIt() throws {
        let loop = try EventLoop()
        let pipe = try Pipe()
        var order: [String] = []
        let deferred = try loop.deferred { order.append("deferred") }
        let source = try loop.watch(fd: pipe.readEnd, .readable) { _ in
            order.append("io")
            deferred.schedule()
            deferred.schedule()
            if order.count > 2 { pipe.take() }
        }
        pipe.put()
        try loop.turnWhileReady()
        #expect(order == ["io", "deferred", "io", "deferred"])
        withExtendedLifetime(source) {}
    }

    @Test func idleWorkWaitsForEverythingElse() throws {
        let loop = try EventLoop()
        var order: [String] = []
        let idle = try loop.deferred(priority: .idle) { order.append("idle") }
        let normal = try loop.deferred { order.append("normal") }
        for source in [idle, normal] { source.schedule() }
        try loop.turnWhileReady()
        #expect(order == ["normal", "idle"])
    }

    // MARK: - Children

    struct Ending: Sendable {
        let script: String
        let status: ChildExit.Status
    }

    @Test(arguments: [
        Ending(script: "exit 0", status: .exited(code: 0)),
        Ending(script: "exit 42", status: .exited(code: 42)),
        Ending(script: "kill -TERM $$", status: .signaled(signal: SIGTERM, coreDumped: false)),
        Ending(script: "kill -KILL $$", status: .signaled(signal: SIGKILL, coreDumped: false)),
    ])
    func aChildIsReportedOnceAndReaped(_ ending: Ending) throws {
        let loop = try EventLoop()
        let child = try spawn(["/bin/sh", "-c", ending.script])
        var exits: [ChildExit] = []
        let source = try loop.child(pidfd: child.pidfd) { exits.append($0) }
        try loop.turn(until: "the child's end") { !exits.isEmpty }
        #expect(exits == [ChildExit(pid: child.pid, status: ending.status)])
        #expect(source.isCancelled)
        #expect(waitpid(child.pid, nil, WNOHANG) == -1 && errno == ECHILD)
    }

    @Test func aChildThatSomebodyElseReapedIsLost() throws {
        let loop = try EventLoop()
        let child = try spawn(["/bin/true"])
        var exits: [ChildExit] = []
        let source = try loop.child(pidfd: child.pidfd) { exits.append($0) }
        #expect(waitpid(child.pid, nil, 0) == child.pid)
        try loop.turn(until: "the child's end") { !exits.isEmpty }
        #expect(exits == [ChildExit(pid: 0, status: .lost)])
        withExtendedLifetime(source) {}
    }

    @Test func aCancelledChildIsNotReported() throws {
        let loop = try EventLoop()
        let child = try spawn(["/bin/true"])
        let source = try loop.child(pidfd: child.pidfd) { _ in Issue.record("a cancelled child was reported") }
        source.cancel()
        #expect(waitpid(child.pid, nil, 0) == child.pid)
        try loop.turnWhileReady()
    }

    // MARK: - Files

    @Test func changesInAFolderAreTold() throws {
        let loop = try EventLoop()
        let scratch = try ScratchFolder()
        let folder = scratch.path
        var events: [FileEvent] = []
        let source = try loop.inotify(path: folder, [.created, .deleted, .movedTo, .onlyFolder]) { events.append($0) }
        close(open(folder + "/a", O_CREAT | O_CLOEXEC, 0o600))
        rename(folder + "/a", folder + "/b")
        unlink(folder + "/b")
        try loop.turn(until: "three events") { events.count == 3 }
        let expected: [FileEvent] = [
            FileEvent(events: .created, name: "a"), FileEvent(events: .movedTo, name: "b"),
            FileEvent(events: .deleted, name: "b"),
        ]
        #expect(events == expected)
        source.cancel()
        let error = #expect(throws: EventLoopError.self) { try loop.inotify(path: folder + "/none", .created) { _ in } }
        #expect(error?.code == ENOENT)
    }

    // MARK: - The wall clock

    /// Sets the machine's clock (to what it shows), so it runs only where that is allowed.
    @Test(.enabled(if: getenv("BOTCRON_TEST_SETS_CLOCK") != nil))
    func aStepOfTheWallClockIsTold() throws {
        let loop = try EventLoop()
        var count = 0
        let source = try loop.clockChange { count += 1 }
        for expected in 1...2 {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            #expect(clock_settime(CLOCK_REALTIME, &time) == 0)
            try loop.turn(until: "the step") { count == expected }
        }
        #expect(try !loop.runOnce(timeoutUSec: 0))
        source.cancel()
    }
}
