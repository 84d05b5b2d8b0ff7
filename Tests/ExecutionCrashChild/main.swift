import EventLoop
import Execution
import Glibc
import Processes

// Starts one attempt for each script, `run-crash-child FOLDER SCRIPT…`, as the runs `run-0`, `run-1`, …; says `started`
// once all of them are, and turns its loop until it is killed. With `-` in place of the word `started` it starts them
// one by one without end, the scripts in turn, and writes the number of each before it is started. OUTPUT_LIMIT bounds
// their output; with RAISE_OPEN_FILES it may have as many files open as it can get. An attempt that is short of
// resources it calls `short`.

if getenv("RAISE_OPEN_FILES") != nil { OpenFileLimit.raise() }
let outputLimit = getenv("OUTPUT_LIMIT").flatMap { Int(String(cString: $0)) }

let loop = try EventLoop()
let runner = try Runner(loop: loop, folder: CommandLine.arguments[1])
let scripts = Array(CommandLine.arguments.dropFirst(2))

func start(_ number: Int, _ script: String, by runner: Runner) {
    var request = AttemptRequest(
        run: "run-\(number)", attempt: 1, arguments: ["/bin/sh", "-c", script],
        environment: ["PATH": "/usr/bin:/bin", "RUN": "run-\(number)"], workingDirectory: "/")
    request.timeout = .seconds(60)
    request.killGrace = .milliseconds(500)
    if let outputLimit { request.outputLimit = outputLimit }
    runner.start(request) { report in
        if case .shortOfResources = report.ending { say("short\n") }
    }
}

func say(_ text: String) {
    guard write(STDOUT_FILENO, text, text.utf8.count) == text.utf8.count else { exit(1) }
}

if scripts.first == "-" {
    var number = 0
    while true {
        say("\(number)\n")
        start(number, scripts[1 + number % (scripts.count - 1)], by: runner)
        number += 1
        while try loop.runOnce(timeoutUSec: 0) {}
    }
}
for (number, script) in scripts.enumerated() { start(number, script, by: runner) }
say("started\n")
_ = try loop.run()
