/// The members of a JSON object, in the order in which they are written.
///
/// Keys are compared by their code units. A key may occur twice in parsed text: both members are kept and written back,
/// and looking it up gives the last. Looking up is linear up to `indexedFrom` members, and by a hash index beyond.
public struct JSONObject: Sendable {
    public typealias Element = (key: String, value: JSONValue)

    /// From this many members on an index is kept. Below, comparing a few short keys is faster than hashing one.
    static let indexedFrom = 17

    private var members: [Element]
    /// The place of the last member of each key; nil below `indexedFrom` members.
    private var places: [ExactKey: Int]?

    public init() {
        members = []
    }

    /// The members in that order. Duplicates are kept, as in parsed text.
    public init(_ members: [(String, JSONValue)]) {
        self.init(members: members.map { (key: $0.0, value: $0.1) })
    }

    init(members: [Element]) {
        self.members = members
        if members.count >= Self.indexedFrom { makeIndex() }
    }

    /// The value of that key (the last, where it occurs twice).
    ///
    /// Setting replaces that value in place, or appends a member. Setting nil removes every member of that key, so that
    /// an earlier duplicate does not come to light; that takes time linear in the number of members.
    public subscript(key: String) -> JSONValue? {
        get {
            place(of: key).map { members[$0].value }
        }
        set {
            if let newValue {
                if let place = place(of: key) {
                    members[place].value = newValue
                } else {
                    append(newValue, for: key)
                }
            } else if place(of: key) != nil {
                members.removeAll { $0.key.hasSameCodeUnits(as: key) }
                places = nil
                if members.count >= Self.indexedFrom { makeIndex() }
            }
        }
    }

    /// The keys in order; a duplicated key as often as it occurs.
    public var keys: [String] { members.map(\.key) }

    /// The values in order.
    public var values: [JSONValue] { members.map(\.value) }

    // MARK: - The index

    private func place(of key: String) -> Int? {
        if let places { return places[ExactKey(text: key)] }
        return members.lastIndex { $0.key.hasSameCodeUnits(as: key) }
    }

    private mutating func append(_ value: JSONValue, for key: String) {
        members.append((key, value))
        if places != nil {
            places?[ExactKey(text: key)] = members.count - 1
        } else if members.count >= Self.indexedFrom {
            makeIndex()
        }
    }

    private mutating func makeIndex() {
        var index: [ExactKey: Int] = [:]
        index.reserveCapacity(members.count)
        for (place, member) in members.enumerated() { index[ExactKey(text: member.key)] = place }
        places = index
    }
}

// MARK: - Collection

extension JSONObject: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { members.count }
    public subscript(position: Int) -> Element { members[position] }
}

// MARK: - Equality

extension JSONObject: Hashable {
    /// The same members in the same order.
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        guard left.count == right.count else { return false }
        for place in left.indices {
            guard left[place].key.hasSameCodeUnits(as: right[place].key) else { return false }
            guard left[place].value == right[place].value else { return false }
        }
        return true
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(members.count)
        for member in members {
            hasher.combine(member.key)
            hasher.combine(member.value)
        }
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// The members in the order of the literal.
    public init(dictionaryLiteral elements: (String, JSONValue)...) { self.init(elements) }
}

// MARK: - Keys

/// A key that equals another only where every code unit does.
private struct ExactKey: Hashable {
    let text: String

    static func == (left: ExactKey, right: ExactKey) -> Bool { left.text.hasSameCodeUnits(as: right.text) }

    /// Swift's own hash: it is equal for canonically equivalent strings, and so for identical ones.
    func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

extension String {
    /// Whether both are the same UTF-8, where `==` also takes canonically equivalent strings for equal.
    func hasSameCodeUnits(as other: String) -> Bool {
        // `==` first: it is fast for what is short or plain ASCII, and most strings differ.
        self == other && utf8.elementsEqual(other.utf8)
    }
}
