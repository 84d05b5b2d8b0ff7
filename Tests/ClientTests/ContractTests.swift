import Contract
import DBus
import TestSupport
import Testing

/// The tables that both sides of the bus share.
@Suite struct ContractTests {
    @Test(arguments: ServiceError.allCases)
    func anErrorOfTheDaemonIsReadBackFromItsName(_ error: ServiceError) {
        #expect(ErrorName.isValid(error.name))
        #expect(ServiceError(name: error.name) == error)
        #expect(BusError(name: error.name) == nil)
        #expect(error.exitCode != ExitCode.success && !error.meaning.isEmpty)
    }

    @Test(arguments: BusError.allCases)
    func anErrorOfTheBusIsReadBackFromItsName(_ error: BusError) {
        #expect(ErrorName.isValid(error.name))
        #expect(BusError(name: error.name) == error)
        #expect(ServiceError(name: error.name) == nil)
        #expect(error.exitCode != ExitCode.success && !error.meaning.isEmpty)
    }

    @Test(arguments: ProgramError.allCases)
    func anErrorOfOurProgramsIsNoneOfTheDaemons(_ error: ProgramError) {
        #expect(ErrorName.isValid(error.name))
        #expect(ServiceError(name: error.name) == nil && BusError(name: error.name) == nil)
        #expect(error.exitCode != ExitCode.success && !error.meaning.isEmpty)
    }

    @Test func noTwoErrorsShareAName() {
        let names =
            ServiceError.allCases.map(\.name) + BusError.allCases.map(\.name) + ProgramError.allCases.map(\.name)
        #expect(Set(names).count == names.count)
    }

    @Test(arguments: ["", "com.aiworkflow.BotCron.Error.", "com.aiworkflow.BotCron.Error.Nonsense", "JobNotFound"])
    func anotherNameIsNoErrorOfTheTable(_ name: String) {
        #expect(ServiceError(name: name) == nil && BusError(name: name) == nil)
    }

    @Test func namesAreWhatTheBusTakes() {
        #expect(BusName.isValid(Address.busName) && ObjectPath.isValid(Address.objectPath))
        for interface in [Address.interface, Address.managerInterface, Address.jobInterface, Address.runInterface] {
            #expect(InterfaceName.isValid(interface), "\(interface)")
        }
        for method in MethodName.allCases { #expect(MemberName.isValid(method.rawValue), "\(method)") }
    }

    /// The document of the interface is what clients are written against.
    @Test func theTableOfMethodsIsTheDocumentsOwn() throws {
        let text = try TestFile.ownText(TestPlace.package + "/dbus/com.aiworkflow.BotCron.xml")
        let documented = Set(text.matches(of: /<method name="(\w+)"/).map { String($0.output.1) })
        let known = Set(MethodName.allCases.map(\.rawValue))
        #expect(documented.subtracting(known).isEmpty)
    }

    @Test func limitsAreInTheirOrder() {
        #expect(InterfaceLimits.historyRunsStandard <= InterfaceLimits.historyRuns)
        #expect(InterfaceLimits.outputBytesStandard <= InterfaceLimits.outputBytes)
        #expect(UInt32(exactly: InterfaceLimits.outputBytes) != nil)
    }
}
