import DBus
import JSON

extension Session {
    /// Every run on record, newest first.
    func allRuns() throws -> [JSONValue] {
        var runs: [JSONValue] = []
        var cursor = JSONValue.null
        repeat {
            let filter: JSONObject = cursor.isNull ? ["limit": 1000] : ["limit": 1000, "cursor": cursor]
            let page = try json("query_history", .string(JSONValue.object(filter).compactText))
            runs += page["runs"]?.arrayValue ?? []
            cursor = page["next_cursor"] ?? .null
        } while !cursor.isNull
        return runs
    }
}
