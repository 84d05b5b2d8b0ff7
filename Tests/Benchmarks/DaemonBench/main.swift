// What a user waits for, measured with the real daemon on a private bus: how long it takes to start, to start a job's
// process, and how much memory it keeps. `make bench` prints it.

import DBus
import EventLoop
import Glibc

if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "--stamp" {
    // The job of the measurement: its first act is to note the time.
    let now = monotonicNanoseconds()
    guard let file = fopen(CommandLine.arguments[2], "a") else { exit(1) }
    fputs("\(now)\n", file)
    fclose(file)
    exit(0)
}

guard CommandLine.arguments.count == 2 else {
    print("usage: daemon-bench BOTCROND (on a private bus: dbus-run-session -- daemon-bench …)")
    exit(64)
}

let bench = try DaemonBench(daemon: CommandLine.arguments[1])
try bench.measureStart(times: 20)
try bench.measureRuns(times: 200)
bench.printMemory()
bench.stop()
