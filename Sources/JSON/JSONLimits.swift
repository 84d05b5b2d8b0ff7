/// How large and how deep a JSON text may be. Beyond either, parsing stops with an error that names the limit.
public struct JSONLimits: Sendable, Equatable {
    /// 64 MiB: far beyond any configuration, and half of the largest message that a bus carries.
    public static let bytesLargest = 64 << 20
    /// 512 levels. Reading, writing and editing do not recurse; comparing, hashing and freeing a value do. Measured
    /// at this depth, on x86-64: all of it fits a stack of 192 KiB in a release build; in a debug build reading,
    /// writing and freeing do, and comparing and hashing take 768 KiB.
    public static let depthLargest = 512

    public static let standard = JSONLimits()

    /// For a text that somebody else made: no more values than these, each of which is some 100 ns and 100 bytes.
    public static func values(_ count: Int) -> JSONLimits { JSONLimits(valuesMax: count) }

    /// The largest length of a text, in bytes.
    public let bytesMax: Int
    /// The largest nesting: a scalar has depth 0, `[]` 1, `[[]]` 2.
    public let depthMax: Int
    /// The largest number of values: scalars and containers.
    public let valuesMax: Int

    /// Asks for less than the largest; more than that, or less than 0, is cut.
    public init(bytesMax: Int = bytesLargest, depthMax: Int = depthLargest, valuesMax: Int = .max) {
        self.valuesMax = max(0, valuesMax)
        self.bytesMax = min(max(0, bytesMax), Self.bytesLargest)
        self.depthMax = min(max(0, depthMax), Self.depthLargest)
    }
}
