import Contract

/// com.aiworkflow.BotCron(5), from the introspection documents: those that the daemon's own answer is tested against.
enum InterfacePage {
    static func roff(of documents: [InterfaceDocument]) -> Roff {
        var page = ManualPage.interface.head
        page.name([Address.busName], "the interface of BotCron on the session bus")
        page.section("SYNOPSIS")
        page.text("Name: \(Address.busName)\n\nObject: \(Address.objectPath), with jobs/NAME and runs/ID below it")
        page.section("DESCRIPTION")
        page.text(
            """
            botcrond(8) answers on the session bus, and the bus starts it where it does not run. An answer settles:
            success means that it took effect and is on disk, an error that it did not and will not.

            Names in paths are escaped as sd_bus_path_encode(3) does it: daily-1 is daily_2d1.
            """)
        for document in documents { add(document, to: &page) }
        page.section("ERRORS")
        for error in ServiceError.allCases { page.item(error.name, sentence(error.meaning)) }
        page.text("Of the bus's own:")
        for error in BusError.allCases { page.item(error.name, sentence(error.meaning)) }
        page.examples(examples)
        page.section("SEE ALSO")
        page.text(ManualPage.interface.seeAlso(["busctl(1)", "gdbus(1)"]))
        return page
    }

    private static func add(_ document: InterfaceDocument, to page: inout Roff) {
        page.section("INTERFACE \(document.name)")
        if !document.documentation.isEmpty { page.text(document.documentation) }
        for kind in InterfaceDocument.Kind.allCases {
            let members = document.members.filter { $0.kind == kind }
            guard !members.isEmpty else { continue }
            page.subsection(kind.title)
            for member in members {
                page.item(member.synopsis, member.documentation)
                page.indented { page in
                    for argument in member.arguments where !argument.documentation.isEmpty {
                        page.item("\(argument.name) (\(argument.type))", argument.documentation)
                    }
                }
            }
        }
    }

    private static func sentence(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() + "." }

    private static let face = "\(Address.busName) \(Address.objectPath) \(Address.interface)"

    static let examples = [
        ManualExample("Run a job now:", "busctl --user call \(face) run_job s hello"),
        ManualExample("What ran:", "busctl --user call \(face) get_history i 10"),
        ManualExample("Its schedule is out of force:", "busctl --user call \(face) toggle_job sb hello false"),
        ManualExample(
            "When a job is next, in microseconds:",
            "busctl --user get-property \(Address.busName) "
                + "\(Address.objectPath)/jobs/hello \(Address.jobInterface) NextRun"),
    ]
}
