import Processes
import Testing

struct RecordTests {
    @Test func comesBackAsItWas() {
        var record = Record()
        record.add("text", "two\nlines and a \0")
        record.add("number", .min)
        record.add("bytes", bytes: (0...255).map { UInt8($0) })
        record.add("empty", "")
        record.add("text", "again")
        record.add("absent", where: false)
        record.add("set", where: true)
        let read = Record(parsing: record.bytes)
        #expect(read == record)
        #expect(read.isComplete)
        #expect(read.texts("text") == ["two\nlines and a \0", "again"])
        #expect(read.number("number") == .min)
        #expect(read.text("empty")?.isEmpty == true)
        #expect(read.number("empty") == nil)
        #expect(read.isSet("set"))
        #expect(!read.isSet("absent"))
    }

    @Test func knowsWhenItWasCutShort() {
        var record = Record()
        record.add("name", "value")
        record.add("other", "12345\n")
        let bytes = record.bytes
        for count in 0..<bytes.count {
            let read = Record(parsing: Array(bytes[..<count]))
            #expect(!read.isComplete, "cut at \(count)")
            // Every field that is there as a whole is read, and never a part of one.
            #expect(record.fields.starts(with: read.fields))
        }
        #expect(Record(parsing: bytes + Array("rubbish".utf8)).isComplete)
    }

    @Test(arguments: [
        "", "\n", "end", "end 0", "x -1\n\n", "x 9223372036854775807\nabc\n", "x 99999999999999999999\nabc\n",
        "x\nabc\n",
        "x 3 \nabc\n", "x 2\nabc\n", " \n\n",
    ])
    func takesNoHarmFromBadBytes(text: String) {
        let read = Record(parsing: Array(text.utf8))
        #expect(!read.isComplete)
        #expect(read.fields.isEmpty)
    }

    @Test func carriesARequest() {
        var request = SupervisorRequest(
            arguments: ["a", "", "b c\n"], environment: ["A": "1=2", "EMPTY": "", "UML": "ü"], workingDirectory: "/tmp")
        request.hasInput = true
        request.parent = 77
        request.timeoutUSec = 1
        request.killGraceUSec = .max
        request.stallTimeoutUSec = 3
        request.outputLimit = 4
        request.context = "{}"
        request.credentials = [
            "token": .contents([0, 255]), "key": .contents([]), "kept": .secret(["service", "a b", "user", ""]),
        ]
        request.credentialsFolder = "/run/x"
        request.limits.memoryMax = 5
        request.limits.tasksMax = 6
        request.limits.nice = -7
        request.limits.ioClass = .idle
        request.scope = "app-botcron-a\\x2db-1.scope"
        request.journal = .init(socket: "/run/journal", job: "a", run: "b")
        request.onlyNotesStall = true
        #expect(SupervisorRequest(Record(parsing: request.record.bytes)) == request)
        #expect(SupervisorRequest(Record(parsing: Array(request.record.bytes.dropLast()))) == nil)
    }

    @Test(
        arguments: [
            .exited(3), .signaled(11, coreDumped: true), .signaled(9, coreDumped: false),
            .couldNotStart("no such program"), .shortOfResources("no fds"), .lost("its folder is gone"),
        ] as [SupervisorOutcome.Ending])
    func carriesAnOutcome(ending: SupervisorOutcome.Ending) {
        var outcome = SupervisorOutcome(ending: ending)
        outcome.isStalled = true
        outcome.isOutOfMemory = true
        outcome.limitsError = "nice could not be set"
        outcome.startedUSec = 5
        outcome.endedUSec = 6
        outcome.userCPUUSec = 7
        outcome.systemCPUUSec = 8
        outcome.maxRSSKiB = 9
        outcome.scopeCPUUSec = 16
        outcome.scopeMemoryPeakBytes = 17
        outcome.outputCount = 100
        outcome.headCount = 10
        outcome.tailCount = 20
        outcome.outputError = "full"
        outcome.remarks = ["progress": "40", "result": "{\"a\":1}"]
        #expect(SupervisorOutcome(Record(parsing: outcome.record.bytes)) == outcome)
    }
}
