internal import DBus
internal import Performing
internal import Schedules
internal import Scheduling

/// `Address.runInterface`: one run, until it has ended.
extension TypedFace {
    var runInterface: Interface {
        Interface(
            Place.run,
            documentation: """
                A run that has not ended; its object goes when it does, and get_run tells what became of it.
                Instants are microseconds since 1970 UTC, 0 for none.
                """,
            methods: [
                Method(
                    "Cancel", .request,
                    documentation: "Ends the run: TERM, after a grace time KILL, to the whole process tree."
                ) { [self] call in
                    requests.cancelRun(call, Place.name(at: call.path)) { call.reply() }
                },
                Method(
                    "Output",
                    in: [
                        Argument("offset", "t", documentation: "From the first byte that the last attempt wrote."),
                        Argument("limit", "u", documentation: "At most so many bytes; 0: 65536; at most 1048576."),
                    ],
                    out: [
                        Argument(
                            "bytes", "ay", documentation: "Standard output and error as they came; empty: no more yet.")
                    ],
                    documentation: "What it wrote so far. Of very long output the middle is not kept: get_output tells."
                ) { [self] call in
                    let offset = Int(clamping: call.arguments[0].asUInt64 ?? 0)
                    let limit = call.arguments[1].asUInt32 ?? 0
                    call.reply([.bytes(try outputs.read(Place.name(at: call.path), from: offset, limit: limit).bytes)])
                },
            ],
            properties: [
                property("Job", "o", changeSignal: .const, "The job that it is a run of.") {
                    .objectPath(Place.path(ofJob: $0.job))
                },
                property("ExecutionId", "s", changeSignal: .const, "What every method knows it by.") { .string($0.id) },
                property("Status", "s", "queued, running, retrying.") { .string($0.status.rawValue) },
                property("StartedAt", "t", "When its first attempt started.") { $0.startedAt.asTyped },
                property("Attempt", "u", "The number of the current or last attempt; 0 before the first.") {
                    .uint32(UInt32(clamping: $0.attempt))
                },
                property("Progress", "d", "In percent, as the run itself says; 0 until it does.") {
                    .double($0.progress ?? 0)
                },
                property("StalledAt", "t", "When its attempt had written nothing for stall_timeout, and went on.") {
                    $0.stalledAt.asTyped
                },
            ])
    }

    private func property(
        _ name: MemberName, _ signature: Signature, changeSignal: Property.ChangeSignal = .yes,
        _ documentation: String, _ value: @escaping (Run) -> DBusValue
    ) -> Property {
        Property(name, signature, changeSignal: changeSignal, documentation: documentation) { [self] path in
            value(try telling.find(Place.name(at: path)))
        }
    }
}
