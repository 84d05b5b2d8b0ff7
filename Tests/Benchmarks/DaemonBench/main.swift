// What a user waits for, measured with the real daemon on a private bus: how long it takes to start, to start a job's
// process, and how much memory it keeps. `make bench` prints it.

import DBus
import EventLoop
@preconcurrency import Glibc

guard CommandLine.arguments.count >= 3 else {
    print("usage: daemon-bench BOTCROND STAMP [start] (on a private bus: dbus-run-session -- daemon-bench …)")
    exit(64)
}

let bench = try DaemonBench(daemon: CommandLine.arguments[1], stamp: CommandLine.arguments[2])
try bench.measureStart(times: 20)
try bench.measureRuns(times: 200)
try bench.printMemory()
try bench.measureLateness(times: 100)
if CommandLine.arguments.last == "start" {
    bench.stop()
    exit(0)
}
try bench.measureThroughput(runs: 1000, atOnce: 10)
// As many as one client may wait for.
try bench.measureThroughput(runs: 500, atOnce: 250)
try bench.measureCrowd(runs: 500)
// Twice: memory that the first ones need is there for the others.
try bench.measureThroughput(runs: 10_000, atOnce: 10)
try bench.measureThroughput(runs: 10_000, atOnce: 10)
try bench.printMemory()
bench.stop()
