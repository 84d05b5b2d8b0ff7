import Schedules
import Scheduling
import Testing

/// `conditions_lost: "stop"`.
@Suite struct ConditionLossTests {
    private func job(_ change: @escaping (inout Job) -> Void = { _ in }) -> Job {
        SchedulingTests.job("a", "0 1 * * *") {
            $0.conditions.needsACPower = true
            $0.conditions.onLoss = .stop
            change(&$0)
        }
    }

    /// The job runs since 01:00, on mains power.
    private func running(_ change: @escaping (inout Job) -> Void = { _ in }) -> Rig {
        let rig = Rig([job(change)])
        rig.advance(to: "01:00")
        rig.tell {
            $0.isOnACPower = true
            $0.isOnline = true
            $0.idleness = .idle(since: dayZero)
            $0.paths = ["/there": true]
        }
        #expect(rig.launches.count == 1)
        return rig
    }

    private let run = id("a", "01:00")

    @Test func aConditionThatEndsEndsTheRunAsInterrupted() {
        let rig = running()
        #expect(rig.watch.facts == [.acPower], "it is watched as long as the run goes on")
        rig.advance(to: "01:10")
        rig.tell { $0.isOnACPower = true }
        #expect(rig.stops.isEmpty)
        rig.tell { $0.isOnACPower = false }
        #expect(rig.stops == [run])
        #expect(rig.run(run)?.ending == .conditionLost)
        rig.tell { $0.isOnACPower = false }
        #expect(rig.stops == [run])
        rig.end(run, .signaled(15)) { $0.isCancelled = true }
        #expect(rig.status(run) == .interrupted)
        #expect(rig.run(run)?.error == "interrupted: a condition of it has ended: mains power")
        #expect(rig.run(run)?.failureType == "interrupted")
        #expect(rig.watch.facts.isEmpty)
    }

    enum Loss: Sendable, CaseIterable { case network, idleness, path, battery }

    @Test(arguments: Loss.allCases) func soDoesEachThatCanEnd(loss: Loss) {
        let rig = running {
            $0.conditions.needsACPower = false
            switch loss {
            case .network: $0.conditions.network = .online
            case .idleness: $0.conditions.idle = .seconds(60)
            case .path: $0.conditions.path = "/there"
            case .battery: $0.conditions.batteryMin = 20
            }
        }
        rig.tell {
            switch loss {
            case .network: $0.isOnline = false
            case .idleness: $0.idleness = .inUse
            case .path: $0.paths = ["/there": false]
            case .battery: $0.batteryPercent = 5
            }
        }
        #expect(rig.stops == [run])
    }

    @Test func theDefaultGoesOn() {
        let rig = running { $0.conditions.onLoss = .continue }
        #expect(rig.watch.facts.isEmpty)
        rig.send(.surroundingsChanged(Surroundings()))
        #expect(rig.stops.isEmpty)
    }

    @Test func theLoadOfARunDoesNotEndIt() {
        let rig = Rig([job { $0.conditions.loadMax = 1 }])
        rig.advance(to: "01:00")
        rig.tell {
            $0.isOnACPower = true
            $0.load = 0.5
        }
        #expect(rig.watch.facts == [.acPower])
        rig.send(
            .surroundingsChanged(
                {
                    var known = Surroundings(unknown: rig.watch)
                    known.answered.insert(.load)
                    known.load = 9
                    return known
                }()))
        #expect(rig.stops.isEmpty)
    }

    @Test func whatIsNotKnownHolds() {
        let rig = running()
        rig.tell { $0.isOnACPower = nil }
        rig.send(.surroundingsChanged(Surroundings()))
        #expect(rig.stops.isEmpty)
    }

    /// A run that did not wait for it has not lost it; one that comes later can be lost.
    @Test(arguments: [true, false]) func whatNeverHeldCannotBeLost(isForced: Bool) {
        let rig = Rig([
            job {
                $0.conditions.action = .run
                $0.conditions.timeout = .seconds(60)
            }
        ])
        if isForced {
            _ = rig.request("a") { $0.isForced = true }
        } else {
            rig.advance(to: "01:00")
            rig.tell { $0.isOnACPower = false }
            rig.advance(to: "01:05")
            rig.tell { $0.isOnACPower = false }
        }
        #expect(rig.launches.count == 1)
        rig.tell { $0.isOnACPower = false }
        #expect(rig.stops.isEmpty)
        guard !isForced else { return }
        rig.tell { $0.isOnACPower = true }
        rig.tell { $0.isOnACPower = false }
        #expect(rig.stops == [run])
    }

    @Test func aNewDaemonGoesOnWatching() {
        let rig = running()
        rig.restart(at: "01:10", evidence: [run: .held])
        #expect(rig.watch.facts == [.acPower])
        rig.tell { $0.isOnACPower = false }
        #expect(rig.stops == [run], "it ended while no daemon saw it")
    }

    @Test func aRunThatNeverBeganIsNotWatched() {
        let rig = running { $0.catchUp.graceTime = .seconds(1) }
        rig.restart(at: "01:10", evidence: [run: .notBegun])
        #expect(rig.run(run)?.status == .queued)
        rig.tell { $0.isOnACPower = true }
        #expect(rig.launches.count == 2 && rig.watch.facts == [.acPower])
        rig.end(run)
        #expect(rig.watch.facts.isEmpty)
    }

    @Test func aSleepAsksAnew() {
        let rig = running()
        rig.sleep(to: "08:00")
        #expect(rig.stops.isEmpty)
        rig.tell { $0.isOnACPower = false }
        #expect(rig.stops == [run])
    }

    @Test func aRetryIsNotHeldToWhatIsGone() {
        let rig = running {
            $0.retry = retry(2, .seconds(60)) { $0.on = [.type("interrupted")] }
        }
        rig.tell { $0.isOnACPower = false }
        rig.end(run, .signaled(15)) { $0.isCancelled = true }
        #expect(rig.status(run) == .retrying)
        rig.advance(to: "01:05")
        #expect(rig.launches.count == 2)
        rig.tell { $0.isOnACPower = false }
        #expect(rig.stops == [run])
        rig.end(run)
        #expect(rig.status(run) == .success)
    }
}
