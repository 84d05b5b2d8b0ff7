import JSON

/// The keys that an object may have, each with its older spellings.
struct Vocabulary: Sendable {
    /// Spelling → the key that it means; a key means itself.
    private let meanings: [String: String]
    /// Keys before older spellings, so that the former win where both are as near to a mistyped one.
    private let spellings: [String]

    init(_ keys: [String], older: [String: [String]] = [:]) {
        var meanings: [String: String] = [:]
        for key in keys { meanings[key] = key }
        let olderKeys = older.keys.sorted()
        for key in olderKeys {
            precondition(meanings[key] == key, "an older spelling of \(key), which is no key")
            for spelling in older[key, default: []] { meanings[spelling] = key }
        }
        self.meanings = meanings
        spellings = keys + olderKeys.flatMap { older[$0, default: []] }
    }

    func meaning(of spelling: String) -> String? { meanings[spelling] }
    func nearest(to key: String) -> String? { NearestName.nearest(to: key, among: spellings) }
    var keys: [String] { spellings }
}

/// The members of an object by what their keys mean. `null` counts as not given, keys that begin with `x-` are free.
struct Fields {
    /// By the key that each means. A definition has few of the hundred that are asked for, and a short walk over them
    /// answers sooner than a hash; the vocabulary bounds how many there are.
    private var fields: [(meaning: String, field: Field)] = []
    /// A bit for each length of a key that is given: most of what is asked for is ruled out by it.
    private var lengths: UInt64 = 0
    let path: [JSONPathStep]
    /// Keys that are not in the vocabulary, and keys given twice with different values; in the order of the text.
    private(set) var faults: [FieldError] = []

    /// Further faults of one object are not looked at: to name the nearest key takes time for each.
    private static let faultsMax = 20

    /// Looks only: what is wrong with the keys is in `faults`.
    init(inspecting object: JSONObject, at path: [JSONPathStep], _ vocabulary: Vocabulary) {
        self.path = path
        for (key, value) in object where !key.hasPrefix("x-") {
            let field = Field(path: path + [.key(key)], value: value)
            guard let meaning = vocabulary.meaning(of: key) else {
                guard faults.count < Self.faultsMax else { continue }
                let nearest = Self.isComment(key) ? nil : vocabulary.nearest(to: key)
                let hint =
                    nearest.map { "; did you mean \"\($0)\"?" }
                    ?? "; a comment is a key that begins with x-: \"x-comment\""
                faults.append(FieldError(path: field.path, isAboutKey: true, "unknown key" + hint))
                continue
            }
            if value.isNull { continue }
            let known = fields.firstIndex { $0.meaning == meaning }
            let earlier = known.map { fields[$0].field }
            if let earlier, earlier.value != value, faults.count < Self.faultsMax {
                let text =
                    earlier.key == key
                    ? "given twice, with different values; give it once"
                    : "means the same as \(earlier.key), which has another value; give one of them"
                faults.append(FieldError(path: field.path, isAboutKey: true, text))
            }
            if let known {
                fields[known].field = field
            } else {
                fields.append((meaning, field))
                lengths |= Self.bit(ofLength: meaning)
            }
        }
    }

    /// What people write in other files for a remark of their own.
    private static func isComment(_ key: String) -> Bool {
        ["_", "//", "#", "$", "--"].contains { key.hasPrefix($0) }
            || ["comment", "comments", "note", "notes", "remark", "todo"].contains(key.lowercased())
    }

    /// - Throws: the first of `faults`, or that there is no object.
    init(_ field: Field, _ vocabulary: Vocabulary, expected: String = "an object") throws(FieldError) {
        guard let object = field.value.objectValue else { throw field.refusal(expected: expected) }
        self.init(inspecting: object, at: field.path, vocabulary)
        if let fault = faults.first { throw fault }
    }

    /// The value of a key in any of its spellings; nil where it is not given.
    subscript(key: String) -> Field? {
        guard lengths & Self.bit(ofLength: key) != 0 else { return nil }
        for (meaning, field) in fields where meaning == key { return field }
        return nil
    }

    private static func bit(ofLength key: String) -> UInt64 { 1 << UInt64(min(key.utf8.count, 63)) }

    /// Which of the keys are given.
    func given(_ keys: [String]) -> [Field] { keys.compactMap { self[$0] } }

    /// The path of a key that is not given.
    func path(of key: String) -> [JSONPathStep] { path + [.key(key)] }
}
