import Configuration
import JSON
import Schedules
import Scheduling

/// The target `toast`: the file from which older clients take what they show, newest first.
struct ToastFile {
    let path: String

    static let entriesMax = 50
    /// A larger file is not ours, and is not read.
    private static let bytesMax = 1 << 20

    func add(_ message: Message, _ zone: TimeZoneRules) -> MessageOutcome {
        do {
            try FileReplacement.edit(path, bytesMax: Self.bytesMax, isDurable: false) { contents in
                Array(Self.with(message, zone, in: contents).utf8)
            }
            return .sent
        } catch let error as ConfigurationError {
            return .failed(error.description)
        } catch {
            return .failed("cannot write \(path): \(error)")
        }
    }

    /// Other members of the file stay; one that cannot be read holds nothing that is still to be shown.
    private static func with(_ message: Message, _ zone: TimeZoneRules, in contents: ConfigurationFile.Contents)
        -> String
    {
        var file: JSONObject = [:]
        if case .bytes(let bytes) = contents,
            let known = try? JSONValue(parsing: String(decoding: bytes, as: UTF8.self))
        {
            file = known.objectValue ?? [:]
        }
        let known = file["notifications"]?.arrayValue ?? []
        let others = known.filter { $0["id"]?.stringValue != message.id }
        file["notifications"] = .array([entry(message, zone)] + others.prefix(entriesMax - 1))
        return JSONValue.object(file).compactText + "\n"
    }

    private static func entry(_ message: Message, _ zone: TimeZoneRules) -> JSONValue {
        let type =
            switch message.occasion {
            case .success, .recovered: "success"
            case .failure, .firstFailure, .paused: "error"
            case .misfired, .stalled, .late, .retry, .asked: "warning"
            case .start, .changed: "info"
            }
        return [
            "id": .string(message.id), "title": .string(message.title), "message": .string(message.text),
            "type": .string(type), "on": .string(message.occasion.rawValue), "job_name": .string(message.job),
            "execution_id": .string(message.run), "timestamp": .string(message.createdAt.rfc3339(in: zone)),
        ]
    }
}
