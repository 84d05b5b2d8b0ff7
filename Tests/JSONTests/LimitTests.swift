import Glibc
import JSON
import Testing

@Suite struct LimitTests {
    private static func nested(_ depth: Int, _ opening: String, _ closing: String) -> [UInt8] {
        Array((String(repeating: opening, count: depth) + "1" + String(repeating: closing, count: depth)).utf8)
    }

    @Test(arguments: [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")])
    func `the deepest text is read, one level more is refused`(_ opening: String, _ closing: String) throws {
        let levels = opening.utf8.filter { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "{") }.count
        let most = JSONLimits.depthLargest / levels
        let deepest = try JSONValue(parsing: Self.nested(most, opening, closing))
        #expect(try JSONValue(parsing: deepest.compactText) == deepest)

        let error = try #require(throws: JSONError.self) {
            try JSONValue(parsing: Self.nested(most + 1, opening, closing))
        }
        #expect(error.code == .tooDeep)
        #expect(error.message.contains("\(JSONLimits.depthLargest)"))
        #expect(error.byteOffset == most * opening.utf8.count)
    }

    @Test func `a million open brackets are an error, not a crash`() throws {
        for bracket in ["[", "{\"a\":"] {
            let error = try #require(throws: JSONError.self) {
                try JSONValue(parsing: String(repeating: bracket, count: 1_000_000))
            }
            #expect(error.code == .tooDeep)
        }
    }

    @Test func `a text past the size limit is refused`() throws {
        let limits = JSONLimits(bytesMax: 10)
        #expect(try JSONValue(parsing: "\"12345678\"", limits: limits) == "12345678")
        let error = try #require(throws: JSONError.self) { try JSONValue(parsing: "\"123456789\"", limits: limits) }
        #expect(error.code == .tooLarge)
        #expect(error.message == "found 11 bytes; at most 10 are read")

        let tooLarge = [UInt8](repeating: UInt8(ascii: " "), count: JSONLimits.bytesLargest + 1)
        #expect(throws: JSONError.self) { try JSONDocument(bytes: tooLarge) }
    }

    @Test func `limits can be lowered and not raised`() {
        #expect(JSONLimits(bytesMax: .max, depthMax: .max) == .standard)
        #expect(JSONLimits(bytesMax: -1, depthMax: -1) == JSONLimits(bytesMax: 0, depthMax: 0))
    }

    @Test(arguments: [("[", "]"), ("{\"a\":", "}")])
    func `the deepest text is read and written on a stack of 512 KiB`(_ opening: String, _ closing: String) throws {
        try Self.onStack(kibibytes: 512) {
            let value = try JSONValue(parsing: Self.nested(JSONLimits.depthLargest, opening, closing))
            let pretty = value.prettyText(indent: 1)
            let document = try JSONDocument(bytes: Array(pretty.utf8))
            return document.root.compactText == value.compactText
        }
    }

    @Test(arguments: [("[", "]"), ("{\"a\":", "}")])
    func `the deepest value is compared, hashed and edited on a small stack`(
        _ opening: String, _ closing: String
    ) throws {
        try Self.onStack(kibibytes: 1024) {
            let text = Self.nested(JSONLimits.depthLargest, opening, closing)
            let value = try JSONValue(parsing: text)
            let other = try JSONValue(parsing: text.map { $0 == UInt8(ascii: "1") ? UInt8(ascii: "2") : $0 })
            var document = try JSONDocument(bytes: text)
            try document.set(other, at: [])
            return document.root == other && Set([value, other, document.root]).count == 2
        }
    }

    @Test func `a value deeper than can be read is still written`() {
        var value: JSONValue = 1
        for _ in 0..<2_000 { value = [value] }
        #expect(value.compactBytes == Self.nested(2_000, "[", "]"))
    }

    /// Expects the work to give true on a thread with a stack of that size.
    private static func onStack(kibibytes: Int, _ work: @escaping () throws -> Bool) throws {
        final class Task {
            let work: () throws -> Bool
            var outcome: Result<Bool, any Error>?
            init(_ work: @escaping () throws -> Bool) { self.work = work }
        }
        let task = Task(work)
        var attributes = pthread_attr_t()
        try #require(pthread_attr_init(&attributes) == 0)
        defer { pthread_attr_destroy(&attributes) }
        try #require(pthread_attr_setstacksize(&attributes, kibibytes << 10) == 0)
        var thread = pthread_t()
        // Borrowed: `task` outlives the thread, which is joined below.
        let context = Unmanaged.passUnretained(task).toOpaque()
        let status = pthread_create(
            &thread, &attributes,
            { context in
                guard let context else { return nil }
                let task = Unmanaged<Task>.fromOpaque(context).takeUnretainedValue()
                task.outcome = Result { try task.work() }
                return nil
            }, context)
        try #require(status == 0)
        pthread_join(thread, nil)
        let outcome = try #require(withExtendedLifetime(task) { task.outcome })
        #expect(try outcome.get())
    }

    @Test func `reading and editing take time linear in the length`() throws {
        // Ten times the text may take ten times as long; a quadratic step would take a hundred times.
        func seconds(_ count: Int) throws -> Double {
            let members = (0..<count).map { "\"key \($0)\": {\"a\": [\($0), \"é\\n\"]}" }.joined(separator: ",\n")
            let text = Array("{\(members)}".utf8)
            let clock = ContinuousClock()
            var best = Duration.seconds(1_000)
            for _ in 0..<3 {
                let took = try clock.measure {
                    var document = try JSONDocument(bytes: text)
                    try document.set(1, at: ["new"])
                    try document.set(["a": 1], at: [.key("key \(count - 1)")])
                    try document.remove(at: ["key 0"])
                }
                best = min(best, took)
            }
            return best / .seconds(1)
        }
        let small = try seconds(500)
        let large = try seconds(5_000)
        #expect(large < small * 40, "\(small) s for 500 members, \(large) s for 5000")
    }

    @Test(arguments: [(200, true), (5_000, false)])
    func `a change to few places keeps the blanks between, one to many rewrites`(
        _ count: Int, _ keepsBlanks: Bool
    ) throws {
        func text(_ first: Int, _ comma: String) -> String {
            "[" + (first..<(first + count)).map(String.init).joined(separator: comma) + "]"
        }
        var document = try JSONDocument(bytes: Array(text(0, ",   ").utf8))
        let new = try JSONValue(parsing: text(1, ","))
        try document.set(new, at: [])
        #expect(document.root == new)
        #expect(String(decoding: document.bytes, as: UTF8.self) == text(1, keepsBlanks ? ",   " : ", "))
    }
}
