import JSON

/// What another scheduler's text was read as: each line of it, in order, and what became of it.
///
/// Reading is pure: text in, values out, and nothing is dropped without a word. What jobs are called among those that
/// are there already is decided later, by `ImportPlan`; what is said to people and programs is `ImportReport`'s.
struct ImportedText {
    var entries: [ImportEntry] = []
    /// What is different for all of its jobs, one sentence each.
    var remarks: [String] = []
}

/// One line of a text that is imported, one unit, one at job, or several comments in a row.
struct ImportEntry {
    enum Fate {
        case taken(ImportedJob)
        case notTaken(reason: String)
        /// It makes no job of its own: a variable that counts for others, a comment.
        case noted(String)
    }

    /// `line 3`, `lines 1–4`, `backup.timer`.
    var place: String
    /// As it stands there.
    var text: String
    var fate: Fate
    /// The lines of the text that it is made of, from 1; empty where they are not one text's.
    var lines: [Int] = []

    var job: ImportedJob? {
        if case .taken(let job) = fate { job } else { nil }
    }
}

/// A job that is to be the same as what it was made from, but for its differences.
struct ImportedJob: Equatable {
    /// What its content suggests to call it: neither unique nor final.
    var name: String
    /// Without a name, so that two of the same content are equal.
    var definition: JSONObject
    /// What it does otherwise than where it came from, one sentence each.
    var differences: [String] = []
}
