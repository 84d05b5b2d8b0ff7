/// A key of config.json as the manual has it: what it means, and an example that the reader takes.
///
/// What may be written is said by the vocabularies of `Reader/`; a test holds these tables against them, so that no key
/// is without its sentence, and no sentence without its key.
public struct DocumentedKey: Sendable {
    /// As it is written; with a point where it stands in the object of another key: `retry.max_attempts`.
    public let name: String
    /// Other spellings that are read, too.
    public let older: [String]
    public let meaning: String
    /// Where nobody says; nil: nothing.
    public let standard: String?
    /// The members that a job or the section then has, as JSON; nil where the one of the key before it serves.
    public let example: String?

    init(
        _ name: String, or older: [String] = [], default standard: String? = nil, _ meaning: String,
        example: String? = nil
    ) {
        self.name = name
        self.older = older
        self.meaning = meaning
        self.standard = standard
        self.example = example
    }
}

/// Keys of one subject.
public struct DocumentedKeys: Sendable {
    public let title: String
    /// What holds for all of them; empty where there is nothing to say.
    public let introduction: String
    public let keys: [DocumentedKey]

    init(_ title: String, _ introduction: String, _ keys: [DocumentedKey]) {
        self.title = title
        self.introduction = introduction
        self.keys = keys
    }

    init(_ title: String, _ keys: [DocumentedKey]) { self.init(title, "", keys) }
}
