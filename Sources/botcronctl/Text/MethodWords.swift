import Contract

/// The words of the command line for methods of the bus: messages of the daemon advise its clients by the names of
/// methods, and whoever reads them here types verbs.
enum MethodWords {
    /// What a person types in place of calling the method; nil where only programs do it.
    static func command(for method: MethodName) -> String? {
        switch method {
        case .listJobs, .queryJobs: "botcronctl list"
        case .getJob: "botcronctl show"
        case .explainJob: "botcronctl why"
        case .resumeJob: "botcronctl enable"
        case .toggleJob, .pauseJob: "botcronctl disable"
        case .skipJob: "botcronctl skip"
        case .runJob, .runNow: "botcronctl run"
        case .waitRun: "botcronctl wait"
        case .cancelRun: "botcronctl cancel"
        case .rerun: "botcronctl rerun"
        case .backfill: "botcronctl backfill"
        case .getOutput: "botcronctl logs"
        case .getRun, .getHistory, .queryHistory: "botcronctl history"
        case .toggleScheduler: "botcronctl pause"
        case .reloadConfig: "botcronctl reload"
        case .getStatus, .getStats: "botcronctl status"
        case .healthCheck: "botcronctl doctor"
        case .previewSchedule: "botcronctl next"
        case .shutdown: "systemctl --user stop bot-cron.service"
        case .scheduleJob: "botcronctl add"
        case .cancelJob: "botcronctl remove"
        case .getConfig: "botcronctl config get"
        case .updateConfig: "botcronctl config set"
        case .testTarget: "botcronctl notify test"
        case .holdGroup: "botcronctl pause --group"
        case .releaseGroup: "botcronctl resume --group"
        case .questions: "botcronctl questions"
        case .answerQuestion: "botcronctl answer"
        case .queuePush: "botcronctl queue push"
        case .queuePop: "botcronctl queue pop"
        case .queueAck: "botcronctl queue ack"
        case .queuePeek: "botcronctl queue peek"
        case .queueList: "botcronctl queue list"
        case .getMetrics: "botcronctl metrics"
        case .ping, .callMethod: nil
        }
    }

    private static let onlyPrograms = "a call over the bus"

    /// The message with every name of a method replaced. What stands in quotes is somebody's own text and stays, and so
    /// do names that are words of English.
    static func plain(_ message: String) -> String {
        var result = ""
        var isQuoted = false
        var word = ""
        func finished(_ word: String) -> String {
            guard !isQuoted, let method = MethodName(rawValue: word), !isEnglish(method) else { return word }
            return command(for: method) ?? onlyPrograms
        }
        for character in message {
            if character.isASCII, character.isLetter || character.isNumber || character == "_" {
                word.append(character)
                continue
            }
            result += finished(word)
            word = ""
            if character == "\"" { isQuoted.toggle() }
            result.append(character)
        }
        return result + finished(word)
    }

    private static func isEnglish(_ method: MethodName) -> Bool {
        switch method {
        case .ping, .shutdown: true
        // What is typed for them is the same word.
        case .rerun, .backfill, .questions: true
        // So is a key of a job.
        case .holdGroup: true
        default: false
        }
    }
}
