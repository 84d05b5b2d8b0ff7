import JSON

/// What a definition calls its job: one of four keys, the first of them before the others.
extension JSONObject {
    static let nameKeys = ["name", "job_id", "schedule_id", "id"]

    var jobName: String? { Self.nameKeys.lazy.compactMap { self[$0]?.stringValue }.first }

    /// The definition without what names it.
    var nameless: JSONObject {
        var object = self
        for key in Self.nameKeys { object[key] = nil }
        return object
    }

    /// The definition under this name, which stands in front, where people look for it.
    func named(_ name: String) -> JSONObject {
        var object: JSONObject = ["name": .string(name)]
        for (key, value) in nameless { object[key] = value }
        return object
    }
}
