/// What is printed on one line, or several: our own words as they stand in the source, everything else cleaned. What is
/// interpolated is foreign, whoever made it: control characters of a job's title or output cannot reach a terminal,
/// because there is no other way to a `Line`.
///
/// ```swift
/// screen.line("\(job.text("name")) is told to end")
/// screen.line(Line(foreign: preview, keepingLines: true))
/// ```
struct Line: ExpressibleByStringInterpolation, Equatable {
    /// Fit for a terminal.
    private(set) var text: String

    init(stringLiteral text: String) { self.text = text }

    init(stringInterpolation parts: Parts) { text = parts.text }

    /// Text that this program's own tables are made of, such as help.
    init(own text: String) { self.text = text }

    init(foreign text: String, keepingLines: Bool = false) {
        self.text = printable(text, keepingLines: keepingLines)
    }

    static func + (a: Line, b: Line) -> Line { Line(own: a.text + b.text) }

    struct Parts: StringInterpolationProtocol {
        fileprivate var text = ""

        init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }

        mutating func appendLiteral(_ literal: String) { text += literal }
        mutating func appendInterpolation(_ foreign: String) { text += printable(foreign) }
        mutating func appendInterpolation(_ number: some BinaryInteger) { text += String(number) }
        mutating func appendInterpolation(_ line: Line) { text += line.text }
    }
}
