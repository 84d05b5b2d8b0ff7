import JSON
import Testing

/// Limits where the kernel holds them: a machine with a kernel of its own has all controllers of version 2.
@Suite(.serialized, .enabled(if: Machine.kernel != nil, "`make test-long` runs these")) struct VirtualScopeTests {
    private static let config = """
        {"schedules": {"timezone": "UTC", "jobs": [
            {"name": "eats", "resources": {"memory_max": "30M"},
             "command": "echo begin; x=y; for i in $(seq 27); do x=$x$x; done; echo $x | wc -c"},
            {"name": "child", "resources": {"memory_max": "30M"},
             "command": "(x=y; for i in $(seq 27); do x=$x$x; done; echo $x | wc -c); echo after; exit 0"},
            {"name": "modest", "resources": {"memory_max": "30M", "tasks_max": 20},
             "command": "cd /sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup); cat memory.max pids.max"},
            {"name": "forks", "resources": {"tasks_max": 20},
             "command": "i=0; while [ $i -lt 100 ]; do sleep 5 & i=$((i + 1)); echo $i; done"},
            {"name": "quota", "resources": {"cpu_quota": "20%"},
             "command": "cd /sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup); [ -e cpu.max ] && echo held || echo not"}
        ]}}
        """

    @Test func theKernelHoldsWhatTheJobSays() throws {
        let machine = try Machine(config: Self.config, .virtual())
        try machine.startDaemon()
        func end(_ job: String) throws -> JSONValue {
            let id = try machine.start(job)
            try machine.wait("the end of \(job)") {
                try !["queued", "running"].contains(machine.runRecord(id)["status"]?.stringValue ?? "")
            }
            return try machine.runRecord(id)
        }

        let modest = try end("modest")
        #expect(modest["output_preview"] == "31457280\n20\n", "\(modest)")

        let eats = try end("eats")
        #expect(eats["status"] == "failed" && eats["failure_type"] == "oom", "\(eats)")
        #expect(eats["error"]?.stringValue?.contains("memory_max") == true, "\(eats)")
        #expect(eats["output_preview"] == "begin\n", "\(eats)")

        // What is killed is a child: the process itself ended well.
        let child = try end("child")
        #expect(child["status"] == "success", "\(child)")
        #expect(child["output_preview"]?.stringValue?.contains("after") == true, "\(child)")

        let forks = try end("forks")
        #expect(forks["status"] == "failed", "\(forks)")
        let numbers = forks["output_preview"]?.stringValue?.split(separator: "\n").compactMap { Int($0) } ?? []
        #expect((10..<20).contains(numbers.last ?? 0), "\(forks)")

        // A quota either holds, or the run says that it does not.
        let quota = try end("quota")
        let isHeld = quota["output_preview"] == "held\n"
        print("cpu_quota in the machine: \(quota["output_preview"] ?? .null), \(quota["caveat"] ?? .null)")
        #expect((quota["caveat"]?.stringValue?.contains("cpu_quota") ?? false) != isHeld, "\(quota)")
    }
}
