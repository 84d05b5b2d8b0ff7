extension JSONDocument {
    /// Bytes that give way to others.
    struct Edit {
        var range: Range<Int>
        var replacement: [UInt8]

        /// Nothing overlaps, but what is inserted (an empty range) may stand right at the end of what is replaced.
        func isBefore(_ other: Edit) -> Bool {
            (range.lowerBound, range.upperBound) < (other.range.lowerBound, other.range.upperBound)
        }
    }

    /// Makes the value at that path the given one, in place.
    ///
    /// - What is there is replaced. Where both are objects whose keys begin alike, or arrays of one length, only what
    ///   differs inside is; a value that is there already changes nothing.
    /// - A key that is not there is appended in the layout of its siblings (on a line of its own with their
    ///   indentation, or inline), with an object for each further key of the path. An index one past the end appends
    ///   an element.
    /// - Every other byte stays: order, indentation, number texts, line ends, a byte order mark.
    ///
    /// - Throws: `JSONEditError` where the path leads through a value of another kind or past the end of an array, or
    ///   where the text would become larger or deeper than the limits. The document is then unchanged.
    public mutating func set(_ value: JSONValue, at path: [JSONPathStep]) throws(JSONEditError) {
        try apply(edits(setting: value, at: path))
    }

    /// Removes the member or element at that path, with its comma; every member, where the key is duplicated.
    ///
    /// - Returns: whether there was one.
    /// - Throws: `JSONEditError.rootRemoved` for the empty path.
    @discardableResult
    public mutating func remove(at path: [JSONPathStep]) throws(JSONEditError) -> Bool {
        guard let last = path.last else { throw .rootRemoved }
        guard let parent = place(at: path.dropLast()), let child = child(of: parent, last) else { return false }
        let children = Array(places.children(of: parent))
        var isLeaving = children.map { $0 == child }
        if case .key(let key) = last { isLeaving = children.map { hasKey($0, key) } }
        try apply(edits(removing: children, where: isLeaving, from: parent))
        return true
    }

    // MARK: - Setting

    /// A change to more places than this rewrites the whole value that is set: finding the layout of each place takes
    /// time linear in the number of its siblings.
    static let changesMax = 256

    private func edits(setting value: JSONValue, at path: [JSONPathStep]) throws(JSONEditError) -> [Edit] {
        guard path.count <= limits.depthMax else {
            let message = "found a path of \(path.count) steps; at most \(limits.depthMax) levels are read"
            throw .limitPassed(JSONError(code: .tooDeep, line: 1, column: 1, byteOffset: 0, message: message))
        }
        let guide = LayoutGuide(of: self)
        var place = 0
        var parents: [Int] = []
        for (depth, step) in path.enumerated() {
            if let child = child(of: place, step) {
                parents.append(place)
                place = child
                continue
            }
            let soFar = Array(path[...depth])
            switch (step, kind(of: place)) {
            case (.key(let key), .object):
                let wrapped = try Self.wrapping(value, in: path, from: depth + 1)
                return [guide.insertion(of: [(key, wrapped)], in: place, parent: parents.last)]
            case (.index(let index), .array):
                let count = places.children(of: place).reduce(0) { count, _ in count + 1 }
                guard index == count else { throw .indexOutOfRange(path: soFar, count: count) }
                let wrapped = try Self.wrapping(value, in: path, from: depth + 1)
                return [guide.insertion(of: [(nil, wrapped)], in: place, parent: parents.last)]
            case (_, let found):
                throw .wrongKind(path: soFar, found: found)
            }
        }
        // The walk above has found every step, so the path is in `root` too.
        guard let old = root[path] else { return [] }
        return edits(from: Change(old: old, new: value, place: place, parent: parents.last), guide)
    }

    /// The value inside of an object for each step that is left.
    private static func wrapping(
        _ value: JSONValue, in path: [JSONPathStep], from depth: Int
    ) throws(JSONEditError) -> JSONValue {
        var wrapped = value
        for (place, step) in path.enumerated().dropFirst(depth).reversed() {
            guard case .key(let key) = step else {
                throw .indexOutOfRange(path: Array(path[...place]), count: 0)
            }
            wrapped = .object([key: wrapped])
        }
        return wrapped
    }

    /// What is to become of the value at one place.
    private struct Change {
        let old: JSONValue
        let new: JSONValue
        let place: Int
        let parent: Int?
    }

    /// The edits for what differs. A list of work instead of recursion, so that depth costs no stack.
    private func edits(from whole: Change, _ guide: LayoutGuide) -> [Edit] {
        var edits: [Edit] = []
        var work = [whole]
        while let change = work.popLast() {
            if edits.count > Self.changesMax {
                return [guide.replacement(of: whole.place, parent: whole.parent, by: whole.new)]
            }
            let place = change.place
            switch (change.old, change.new) {
            case (.array(let old), .array(let new)) where old.count == new.count:
                for (child, (old, new)) in zip(places.children(of: place), zip(old, new)) {
                    work.append(Change(old: old, new: new, place: child, parent: place))
                }
            case (.object(let old), .object(let new)) where !old.isEmpty && new.hasKeys(beginningWith: old):
                for (child, (old, new)) in zip(places.children(of: place), zip(old, new)) {
                    work.append(Change(old: old.value, new: new.value, place: child, parent: place))
                }
                let added = new.dropFirst(old.count).map { (key: String?.some($0.key), value: $0.value) }
                if !added.isEmpty { edits.append(guide.insertion(of: added, in: place, parent: change.parent)) }
            case (let old, let new):
                if old != new { edits.append(guide.replacement(of: place, parent: change.parent, by: new)) }
            }
        }
        return edits
    }

    // MARK: - Removing

    private func edits(removing children: [Int], where isLeaving: [Bool], from parent: Int) -> [Edit] {
        guard let lastStaying = isLeaving.lastIndex(of: false) else {
            let range = places.all[parent].range
            return [Edit(range: (range.lowerBound + 1)..<(range.upperBound - 1), replacement: [])]
        }
        var edits: [Edit] = []
        // Before another member: up to where that one begins, so that it takes over the place.
        for (place, child) in children.enumerated() where place < lastStaying && isLeaving[place] {
            let next = places.all[children[place + 1]].memberRange.lowerBound
            edits.append(Edit(range: places.all[child].memberRange.lowerBound..<next, replacement: []))
        }
        // At the end: from the comma after the last that stays.
        if lastStaying < children.count - 1, let last = children.last {
            let range = Int(places.all[children[lastStaying]].end)..<Int(places.all[last].end)
            edits.append(Edit(range: range, replacement: []))
        }
        return edits
    }

    // MARK: - Applying

    private mutating func apply(_ edits: [Edit]) throws(JSONEditError) {
        guard !edits.isEmpty else { return }
        var edited: [UInt8] = []
        edited.reserveCapacity(bytes.count + edits.reduce(0) { $0 + $1.replacement.count })
        var at = 0
        for edit in edits.sorted(by: { $0.isBefore($1) }) {
            edited += bytes[at..<edit.range.lowerBound]
            edited += edit.replacement
            at = edit.range.upperBound
        }
        edited += bytes[at...]
        do throws(JSONError) {
            self = try JSONDocument(bytes: edited, limits: limits)
        } catch {
            precondition(error.code == .tooDeep || error.code == .tooLarge, "an edit has made bad JSON: \(error)")
            throw .limitPassed(error)
        }
    }
}

extension JSONObject {
    /// Whether the keys of the other are the first of these, in that order.
    fileprivate func hasKeys(beginningWith other: JSONObject) -> Bool {
        guard count >= other.count else { return false }
        for (mine, theirs) in zip(self, other) where !mine.key.hasSameCodeUnits(as: theirs.key) { return false }
        return true
    }
}
