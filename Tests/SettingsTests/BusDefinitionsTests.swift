import Configuration
import JSON
import Performing
import Scheduling
import Testing

@testable import Settings

/// Definitions that came over the bus and are kept in the store.
@Suite struct BusDefinitionsTests {
    private func definition(_ name: String, _ members: String = "\"command\": [\"true\"]")
        -> StoredState.StoredDefinition
    {
        .init(job: name, version: 1, json: "{\"name\": \"\(name)\", \(members)}", createdAt: Stage.noon)
    }

    @Test func whatReadsIsScheduledAndWhatDoesNotIsListed() throws {
        let stage = try Stage()
        try stage.write(stage.jobs("file", "taken"))
        for stored in [definition("good"), definition("bad", "\"comand\": 1"), definition("taken")] {
            stage.store.put(stored)
        }
        try stage.start()
        #expect(stage.core.jobNames == ["file", "good", "taken"])
        #expect(stage.core.job(named: "good")?.job.origin == .bus)
        #expect(stage.core.job(named: "taken")?.job.origin == .config)
        #expect(stage.settings.refusedNames == ["bad", "taken"])
        #expect(stage.settings.isRefusedDefinition(of: "bad") && !stage.settings.isRefusedDefinition(of: "good"))
        // The core was asked to forget one: when that is on record it is refused no more.
        stage.settings.committed([.removeDefinition(job: "bad")])
        #expect(stage.settings.refusedNames == ["taken"])
    }

    @Test func whatItWasRefusedForMayBeMended() throws {
        let stage = try Stage()
        try stage.write("{\"schedules\": {\"jobs\": []}}")
        stage.store.put(definition("later", "\"execution_mode\": \"mine\", \"skill\": \"s\""))
        try stage.start()
        #expect(stage.core.jobNames.isEmpty)
        try stage.write("{\"schedules\": {\"runners\": {\"mine\": [\"echo\", \"${skill}\"]}, \"jobs\": []}}")
        try stage.settings.reload()
        #expect(stage.core.jobNames == ["later"], "\(stage.settings.configuration.refused) \(stage.log.lines)")
        #expect(stage.settings.refusedNames.isEmpty)
    }

    @Test func aNameThatTheBusHasStaysWithIt() throws {
        let stage = try Stage()
        try stage.write(stage.jobs("one"))
        stage.store.put(definition("mine"))
        try stage.start()
        try stage.write(stage.jobs("one", "mine"))
        let result = try stage.settings.reload()
        #expect(result.added.isEmpty)
        #expect(result.refused.first?.error.contains("cancel_job") == true)
        #expect(stage.core.job(named: "mine")?.job.origin == .bus)
    }

    /// The store had the run and its definition; the next daemon said that the definition was gone.
    @Test func arunOfADefinitionThatIsNotScheduledIsTakenOver() throws {
        let stage = try Stage()
        try stage.write(stage.jobs("one"))
        for (id, definition) in [("good", "{\"command\": [\"true\"]}"), ("bad", "{\"comand\": 1}"), ("none", nil)] {
            var run = Run(
                id: id, job: "once-\(id)", skill: "", trigger: .manual, scheduledFor: nil, createdAt: Stage.noon,
                status: .queued)
            run.definition = definition
            stage.store.put(active: run)
        }
        stage.core.build(stage.settings)
        let unscheduled = try #require(stage.core.inputs?.unscheduled)
        #expect(unscheduled.keys.sorted() == ["good"])
        #expect(unscheduled["good"]?.name == "once-good")
        #expect(unscheduled["good"]?.action == .command(["true"]))
        #expect(unscheduled["good"]?.origin == .bus)
    }
}
