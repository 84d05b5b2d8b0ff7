import Glibc

// Table of contents: read the command line, find the verb, run it, say what went wrong.

exit(runCommand(Array(CommandLine.arguments.dropFirst())))
