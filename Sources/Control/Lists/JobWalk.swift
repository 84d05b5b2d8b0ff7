internal import Scheduling

/// Jobs one after the other, by name, from a place on: good ones and refused ones, a refused one behind a good one of
/// its name.
struct JobWalk {
    /// A job's place among all of them.
    struct Place: Equatable {
        var name: String
        /// 0 for a good one; 1, 2, … for the refused ones of that name.
        var copy: Int

        /// For clients to hand back; what it says is no business of theirs.
        var cursor: String { "\(copy).\(name)" }

        /// Takes up a cursor that went through a client; nil where it is none of ours.
        init?(cursor: String) {
            guard let dot = cursor.utf8.firstIndex(of: UInt8(ascii: ".")), let copy = Int(cursor[..<dot]), copy >= 0
            else { return nil }
            self.init(name: String(cursor[cursor.utf8.index(after: dot)...]), copy: copy)
        }

        init(name: String, copy: Int) {
            self.name = name
            self.copy = copy
        }
    }

    enum Row {
        /// One that was there when the walk began; it may have gone.
        case job(String)
        case refused(RefusedJob)
    }

    private let names: [String]
    private let refused: [RefusedJob]
    private var nextName: Int
    private var nextRefused: Int
    /// Which one of its name the refused one is that came last.
    private var copy: Int

    /// - Parameters:
    ///   - names: of good jobs, sorted.
    ///   - refused: sorted by name.
    ///   - place: the walk begins behind it.
    init(_ names: [String], _ refused: [RefusedJob], behind place: Place? = nil) {
        self.names = names
        self.refused = refused
        copy = 0
        guard let place else {
            (nextName, nextRefused) = (0, 0)
            return
        }
        nextName = names.firstPlace { $0 > place.name }
        let first = refused.firstPlace { $0.name >= place.name }
        let end = refused.firstPlace { $0.name > place.name }
        nextRefused = first + min(place.copy, end - first)
        copy = nextRefused - first
    }

    mutating func next() -> (row: Row, place: Place)? {
        if nextRefused < refused.count {
            let job = refused[nextRefused]
            if nextName == names.count || job.name < names[nextName] {
                let isSameName = nextRefused > 0 && refused[nextRefused - 1].name == job.name
                copy = isSameName ? copy + 1 : 1
                nextRefused += 1
                return (.refused(job), Place(name: job.name, copy: copy))
            }
        }
        guard nextName < names.count else { return nil }
        nextName += 1
        return (.job(names[nextName - 1]), Place(name: names[nextName - 1], copy: 0))
    }
}
