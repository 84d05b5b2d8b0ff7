/// An argv whose `${…}` are filled in when a run starts, each as one argument, never through a shell.
///
/// ```swift
/// let template = try RunnerTemplate(["claude", "--print", "--skill", "${skill}", "--persona", "${persona}"])
/// template.fill(variables)       // ["claude", "--print", "--skill", "coffee"] where there is no persona
/// ```
///
/// Sharp edges:
/// - A value is data, whatever it holds: it is not looked through for further variables, and quotes, newlines and `$()`
///   stay as they are. A NUL, which no argument can hold, becomes U+FFFD.
/// - An argument of variables that come out empty is left out, together with the flag before it (`--persona`), or with
///   the flag inside it (`--persona=${persona}`). The program itself is never left out.
/// - `$` without a brace is a dollar sign.
public struct RunnerTemplate: Sendable, Equatable {
    /// As written.
    public let arguments: [String]
    private let pieces: [[TemplatePiece]]

    /// - Throws: `JobError` with the argument and the variable that is unknown, or the `${` that is never closed.
    public init(_ arguments: [String]) throws(JobError) {
        var pieces: [[TemplatePiece]] = []
        for (index, argument) in arguments.enumerated() {
            do {
                pieces.append(try TemplatePiece.parse(argument))
            } catch {
                let message = "argument \(index) of the runner, \"\(Field.shortened(argument))\": \(error.message)"
                throw JobError(kind: .job, job: nil, key: "", message: message)
            }
        }
        self.arguments = arguments
        self.pieces = pieces
    }

    /// The argv of one run.
    public func fill(_ variables: RunVariables) -> [String] {
        var argv: [String] = []
        /// Whether the last one in `argv` is a flag that goes with the next argument.
        var endsInFlag = false
        for (index, pieces) in pieces.enumerated() {
            var filled = ""
            var hasVariable = false
            for piece in pieces {
                switch piece {
                case .literal(let text):
                    filled += text
                case .variable(let variable):
                    hasVariable = true
                    filled += variables.text(of: variable)
                }
            }
            if index > 0, hasVariable, filled.isEmpty || Self.isFlagWithoutValue(pieces, filled) {
                if endsInFlag { argv.removeLast() }
                endsInFlag = false
                continue
            }
            argv.append(filled)
            endsInFlag = index > 0 && !hasVariable && Self.isFlag(filled)
        }
        return argv
    }

    private static func isFlag(_ text: String) -> Bool { text.hasPrefix("-") && text != "-" && text != "--" }

    /// Whether it is `--name=` with nothing behind it.
    private static func isFlagWithoutValue(_ pieces: [TemplatePiece], _ filled: String) -> Bool {
        guard case .literal(let flag) = pieces.first else { return false }
        return flag.hasPrefix("-") && flag.hasSuffix("=") && filled == flag
    }
}

// MARK: - Pieces

/// A part of a template: text, or a variable.
enum TemplatePiece: Sendable, Equatable {
    case literal(String)
    case variable(TemplateVariable)

    struct Fault: Error {
        let message: String
    }

    static func parse(_ text: String) throws(Fault) -> [TemplatePiece] {
        var pieces: [TemplatePiece] = []
        for part in split(text) {
            switch part {
            case .text(let text):
                pieces.append(.literal(text))
            case .unclosed:
                throw Fault(message: "\"${\" is never closed; write ${name}")
            case .name(let name):
                guard let variable = TemplateVariable(name) else {
                    let hint = NearestName.nearest(to: name, among: TemplateVariable.names)
                    throw Fault(
                        message: "unknown variable \"\(Field.shortened(name))\"; did you mean \"\(hint ?? "")\"?")
                }
                pieces.append(.variable(variable))
            }
        }
        return pieces
    }

    enum Part {
        case text(String)
        case name(String)
        /// The text after the last `${`, which has no `}`.
        case unclosed(String)
    }

    /// Cuts a text at its `${…}`.
    static func split(_ text: String) -> [Part] {
        var parts: [Part] = []
        var literal: [UInt8] = []
        let bytes = Array(text.utf8)
        var at = 0
        while at < bytes.count {
            guard bytes[at] == UInt8(ascii: "$"), at + 1 < bytes.count, bytes[at + 1] == UInt8(ascii: "{") else {
                literal.append(bytes[at])
                at += 1
                continue
            }
            if !literal.isEmpty { parts.append(.text(String(decoding: literal, as: UTF8.self))) }
            literal = []
            guard let end = bytes[(at + 2)...].firstIndex(of: UInt8(ascii: "}")) else {
                parts.append(.unclosed(String(decoding: bytes[(at + 2)...], as: UTF8.self)))
                return parts
            }
            parts.append(.name(String(decoding: bytes[(at + 2)..<end], as: UTF8.self)))
            at = end + 1
        }
        if !literal.isEmpty { parts.append(.text(String(decoding: literal, as: UTF8.self))) }
        return parts
    }
}
