import Daemon
import Glibc

// Table of contents: read the flags, then be the daemon, or ask the one that runs.

signal(SIGPIPE, SIG_IGN)

let environment = currentEnvironment()
let command: CommandLineOptions
do {
    command = try CommandLineOptions(Array(CommandLine.arguments.dropFirst()))
} catch {
    complain(error.message + "\nbotcrond --help shows the options")
    exit(StartError.usage)
}

do {
    switch command.mode {
    case .help: print(CommandLineOptions.help)
    case .version: print("botcrond \(botcronVersion)")
    case .serve: exit(try Daemon(options: command.daemon, environment: environment).run())
    case .listJobs: print(try jobListing(options: command.daemon, environment: environment))
    case .runJob(let name): print(try RunningDaemon(options: command.daemon).runJob(name))
    case .status: print(try RunningDaemon(options: command.daemon).status())
    case .stop: print(try RunningDaemon(options: command.daemon).stop())
    }
} catch {
    complain(error.message)
    exit(error.exitCode)
}
