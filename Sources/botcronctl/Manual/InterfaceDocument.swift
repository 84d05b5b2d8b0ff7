import Contract

/// An interface as an introspection document of ours describes it.
///
/// It reads what the daemon writes (an element a tag, attributes in double quotes, documentation in annotations), and
/// no other XML.
struct InterfaceDocument: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case method, signal, property

        var title: String {
            switch self {
            case .method: "Methods"
            case .signal: "Signals"
            case .property: "Properties"
            }
        }
    }

    struct Argument: Sendable {
        var name: String
        var type: String
        var isAnswer: Bool
        var documentation = ""
    }

    struct Member: Sendable {
        var kind: Kind
        var name: String
        /// Of a property.
        var type = ""
        var access = ""
        var documentation = ""
        var arguments: [Argument] = []

        /// `run_job(s job) → s run`, as a page shows it.
        var synopsis: String {
            if kind == .property { return "\(name) (\(type), \(access))" }
            func list(_ isAnswer: Bool) -> String {
                arguments.filter { $0.isAnswer == isAnswer }.map { "\($0.type) \($0.name)" }.joined(separator: ", ")
            }
            let answer = list(true)
            return "\(name)(\(list(false)))" + (answer.isEmpty ? "" : " -> \(answer)")
        }
    }

    private(set) var name = ""
    private(set) var documentation = ""
    private(set) var members: [Member] = []

    /// The interfaces that the manual describes, in its order.
    static let names = [
        Address.interface, Address.managerInterface, Address.jobInterface, Address.runInterface,
    ]

    /// - Throws: where the text is no document of an interface.
    init(_ text: String, of name: String) throws(Failure) {
        var rest = Substring(text)
        // The elements around; an annotation is about the last of them.
        var open: [String] = []
        while let tag = Self.nextTag(&rest) {
            if tag.isEnd {
                open = open.dropLast()
                continue
            }
            switch tag.name {
            case "interface": self.name = tag.attributes["name"] ?? ""
            case "method", "signal", "property":
                guard let kind = Kind(rawValue: tag.name) else { continue }
                var member = Member(kind: kind, name: tag.attributes["name"] ?? "")
                member.type = tag.attributes["type"] ?? ""
                member.access = tag.attributes["access"] ?? ""
                members.append(member)
            case "arg" where !members.isEmpty:
                members[members.count - 1].arguments.append(
                    Argument(
                        name: tag.attributes["name"] ?? "", type: tag.attributes["type"] ?? "",
                        isAnswer: tag.attributes["direction"] == "out"))
            case "annotation" where tag.attributes["name"] == "org.gtk.GDBus.DocString":
                document(open.last ?? "", tag.attributes["value"] ?? "")
            default: break
            }
            if !tag.isEmpty { open.append(tag.name) }
        }
        guard self.name == name else {
            throw Failure(
                ExitCode.failure, ProgramError.internal.name, "this is no description of the interface \(name)")
        }
    }

    private mutating func document(_ element: String, _ text: String) {
        switch element {
        case "interface": documentation = text
        case "arg":
            guard let count = members.last?.arguments.count, count > 0 else { return }
            members[members.count - 1].arguments[count - 1].documentation = text
        case "method", "signal", "property": members[members.count - 1].documentation = text
        default: break
        }
    }

    // MARK: - Tags

    private struct Tag {
        var name: String
        var attributes: [String: String] = [:]
        var isEmpty: Bool
        var isEnd: Bool
    }

    /// The next one, but for declarations and comments; nil at the end.
    private static func nextTag(_ rest: inout Substring) -> Tag? {
        while let start = rest.firstIndex(of: "<") {
            rest = rest[rest.index(after: start)...]
            var end = rest.startIndex
            var isQuoted = false
            while end < rest.endIndex, isQuoted || rest[end] != ">" {
                if rest[end] == "\"" { isQuoted.toggle() }
                end = rest.index(after: end)
            }
            guard end < rest.endIndex else { return nil }
            var body = rest[..<end]
            rest = rest[rest.index(after: end)...]
            guard let first = body.first, first != "!", first != "?" else { continue }
            let isEnd = first == "/"
            if isEnd { body = body.dropFirst() }
            let isEmpty = body.last == "/"
            if isEmpty { body = body.dropLast() }
            var tag = Tag(name: String(body.prefix { !$0.isWhitespace }), isEmpty: isEmpty, isEnd: isEnd)
            tag.attributes = attributes(body.drop { !$0.isWhitespace })
            return tag
        }
        return nil
    }

    private static func attributes(_ text: Substring) -> [String: String] {
        var attributes: [String: String] = [:]
        var rest = text
        while let equals = rest.firstIndex(of: "=") {
            let name = rest[..<equals].filter { !$0.isWhitespace }
            let value = rest[equals...].drop { $0 != "\"" }.dropFirst()
            attributes[String(name)] = unescaped(value.prefix { $0 != "\"" })
            rest = value.drop { $0 != "\"" }.dropFirst()
        }
        return attributes
    }

    private static func unescaped(_ text: Substring) -> String {
        var result = ""
        var rest = text
        while let ampersand = rest.firstIndex(of: "&") {
            result += rest[..<ampersand]
            let entity = rest[ampersand...].prefix { $0 != ";" }
            rest = rest[ampersand...].dropFirst(entity.count + 1)
            switch entity {
            case "&lt": result += "<"
            case "&gt": result += ">"
            case "&quot": result += "\""
            case "&apos": result += "'"
            case "&amp": result += "&"
            default: result += entity + ";"
            }
        }
        return result + rest
    }
}
