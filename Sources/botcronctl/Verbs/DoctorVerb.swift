import Client
import Configuration
import Contract
import JSON
import Schedules
import Scheduling

/// `doctor`: everything that decides whether jobs run, looked at; each with a verdict and what mends it.
extension Verb {
    static let doctor = Verb(
        "doctor", "what keeps jobs from being run, here and now, and what mends it",
        details: """
            Looks at the bus, the daemon and its unit, whether it outlives the session, the PATH of jobs and the programs
            on it, bad jobs, the store and its disk, clocks and zones, and what an earlier installation has left. Exits
            with 1 where something is bad, and with 69 where no daemon is on the bus. It starts and changes nothing.
            """,
        run: examine)
}

private func examine(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let patient = Patient()
    var findings: [Finding] = []
    var absence: Failure?
    var (health, status, pid) = (JSONValue.null, JSONValue.null, UInt32?.none)
    do throws(Failure) {
        let daemon = try context.daemon()
        health = try daemon.json(.healthCheck, starting: .never)
        findings.append(Finding("bus", .good, "it answers"))
        // Without the store the daemon has health, and no status.
        status = (try? daemon.json(.getStatus, starting: .never)) ?? .null
        pid = (try? daemon.client.process())?.pid
    } catch {
        absence = error
        let isBusThere = error.name == BusError.serviceUnknown.name
        findings.append(
            Finding(
                "bus", isBusThere ? .good : .bad, isBusThere ? "it answers" : error.message,
                fix: isBusThere ? nil : error.advice.first))
        if isBusThere { findings.append(Finding("daemon", .bad, error.message, fix: error.advice.first)) }
    }
    let jobs = jobsOfFile(status, context)
    let daemon = DaemonFindings(health: health, status: status)
    if absence == nil {
        let wakers = jobs.filter { $0.power.wakesSystem }.map(\.name)
        findings += daemon.all(wakers: wakers, faults: faultFindings(status, health, context))
    }
    findings += patient.unitFindings(isHere: absence == nil) + patient.lingerFindings()
    findings += patient.pathFindings(pid: pid) + patient.programFindings(of: jobs, pid: pid)
    findings += patient.targetFindings(of: jobs, isShown: daemon.showsNotifications)
    findings += patient.zoneFindings() + patient.clockFindings()
    let folder = storeFolder(health) ?? patient.standardStateFolder
    findings += patient.storeFindings(in: folder) + patient.diskFindings(of: folder)
    findings += patient.leftoverFindings()
    if context.screen.isJSON {
        context.screen.json(.array(findings.map(\.json)))
    } else {
        context.screen.show(findings)
    }
    guard absence == nil else { return ExitCode.unavailable }
    let worst = findings.map(\.verdict).max() ?? .good
    let isHealthy = health["healthy"]?.boolValue ?? false
    return worst == .bad || !isHealthy ? ExitCode.failure : ExitCode.success
}

/// The jobs of the file that the daemon reads, as they stand in it now. One that cannot be read is told elsewhere.
private func jobsOfFile(_ status: JSONValue, _ context: Context) -> [Job] {
    let known = status.text("configuration")
    let path = known.isEmpty ? ConfigurationFile.defaultPath(environment: userEnvironment()) : known
    guard case .bytes(let bytes)? = try? ConfigurationFile.load(path: path),
        let document = try? ConfigurationFile.parse(bytes, path: path),
        let configuration = try? context.configurationReader.read(document: document)
    else { return [] }
    return configuration.jobs
}

/// Where the daemon has its store; nil where that is what is wrong.
private func storeFolder(_ health: JSONValue) -> String? {
    let store = health["surroundings"]?.arrayValue?.first { $0.text("name") == "store" }
    guard store?["serves"]?.boolValue == true, let text = store?.text("text"), text.hasPrefix("/") else { return nil }
    return text
}
