/// Which values below a value are not shown, wherever it is written down: each by the keys on the way to it. An array
/// on the way is no step of it.
///
/// ```swift
/// let mask = JSONMask([["web", "password"], ["servers", "*", "password"]])
/// var extraction = JSONExtraction(bytes: contents, path: [], mask: mask)      // {"web": {"password": "***"}, …}
/// ```
public struct JSONMask: Sendable, Equatable {
    /// What stands in place of a value that is not shown.
    public static let stars = "***"
    /// As a key: any.
    private static let any = "*"

    private var paths: [[String]]
    /// Of addresses, which are shown where nobody logs in by them.
    private var addresses: [[String]]

    /// - Parameters:
    ///   - paths: `*` is any key.
    ///   - addresses: texts that are shown where they hold no `@`.
    public init(_ paths: [[String]] = [], addresses: [[String]] = []) {
        self.paths = paths
        self.addresses = addresses
    }

    var isEmpty: Bool { paths.isEmpty && addresses.isEmpty }

    /// Whether the value itself is not shown.
    ///
    /// - Parameter hasAt: whether it is, or may be, a text that holds an `@`.
    func hides(hasAt: Bool) -> Bool {
        paths.contains { $0.isEmpty } || hasAt && addresses.contains { $0.isEmpty }
    }

    /// What is not shown below one of its members.
    func below(_ key: String) -> JSONMask {
        func rests(_ paths: [[String]]) -> [[String]] {
            paths.compactMap { path in
                guard let step = path.first, step == Self.any || step == key else { return nil }
                return Array(path.dropFirst())
            }
        }
        return JSONMask(rests(paths), addresses: rests(addresses))
    }

    /// The same for a path of keys; what is below something that is not shown is not shown either.
    func below(_ keys: [String]) -> JSONMask {
        keys.reduce(self) { mask, key in mask.hides(hasAt: true) ? mask : mask.below(key) }
    }
}

/// What is not shown where a walk over a text stands.
struct MaskCursor {
    enum Step { case shown, hidden, stars }

    /// That of the value that comes next.
    private var next: JSONMask
    /// Those of the containers that are open, as far as anything below them is not shown.
    private var open: [JSONMask] = []
    /// How many are open within the last of those, where all is shown, or nothing.
    private var further = 0
    private var isHiding = false

    init(_ mask: JSONMask) { next = mask }

    /// Whether keys make a difference here.
    var followsKeys: Bool { further == 0 && !open.isEmpty }

    /// Whether keys and values here are not shown, and something stands in their place already.
    var isHidden: Bool { further > 0 && isHiding }

    mutating func key(_ key: String) { next = open.last?.below(key) ?? JSONMask() }

    func scalar(hasAt: Bool) -> Step {
        if further > 0 { return isHiding ? .hidden : .shown }
        return next.hides(hasAt: hasAt) ? .stars : .shown
    }

    mutating func begin() -> Step {
        if further > 0 {
            further += 1
            return isHiding ? .hidden : .shown
        }
        isHiding = next.hides(hasAt: true)
        if next.isEmpty || isHiding {
            further = 1
            return isHiding ? .stars : .shown
        }
        // Elements of an array have no keys: each is what the array is.
        open.append(next)
        return .shown
    }

    mutating func end() -> Step {
        guard further > 0 else {
            open.removeLast()
            next = open.last ?? JSONMask()
            return .shown
        }
        further -= 1
        return isHiding ? .hidden : .shown
    }
}
