import Scheduling
import Store

/// The table `job_change`.
enum JobChangeRow {
    static let columns = [
        "sequence", "job", "at_us", "what", "until_us", "reason", "by_kind", "by_name", "by_executable",
    ]

    static func bind(_ change: JobChange, to statement: Statement) {
        statement.bind(change.sequence)
        statement.bind(change.job)
        statement.bind(change.at)
        statement.bind(change.what.rawValue)
        statement.bind(change.until)
        statement.bind(change.reason)
        let (kind, name, executable) = parts(of: change.author)
        statement.bind(kind.rawValue)
        statement.bind(name)
        statement.bind(executable)
    }

    /// - Throws: where no version could have written what is there.
    static func read(_ statement: Statement) throws(StoreError) -> JobChange {
        let sequence = statement.integer()
        let job = statement.text()
        let at = statement.instant()
        let what = try statement.word(JobChange.What.self, of: "the change \(sequence) of the job \(job)")
        let until = statement.instantIfAny()
        let reason = statement.textIfAny()
        let kind = statement.wordIfKnown(Kind.self)
        let name = statement.text()
        let author = author(kind, name, statement.textIfAny())
        var change = JobChange(sequence: sequence, job: job, at: at, what: what, author: author)
        change.until = until
        change.reason = reason
        return change
    }

    private enum Kind: String {
        case process
        case gone
        case file
        case daemon
        case unknown
    }

    private static func parts(of author: ChangeAuthor) -> (Kind, String?, String?) {
        switch author {
        case .process(let name, let executable): (.process, name, executable)
        case .gone(let name): (.gone, name, nil)
        case .file(let name): (.file, name, nil)
        case .daemon: (.daemon, nil, nil)
        case .unknown: (.unknown, nil, nil)
        }
    }

    private static func author(_ kind: Kind?, _ name: String, _ executable: String?) -> ChangeAuthor {
        switch kind {
        case .process: .process(name: name, executable: executable)
        case .gone: .gone(name)
        case .file: .file(name)
        case .daemon: .daemon
        case .unknown, nil: .unknown
        }
    }
}
