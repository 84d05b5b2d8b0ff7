/// How what is new in a document is set out: as what stands around it.
///
/// What holds for the whole text is found once; what holds for one place, when it is asked for.
struct LayoutGuide {
    /// Where a text shows no colon, and no indentation.
    private static let colonUsual: [UInt8] = [UInt8(ascii: ":"), UInt8(ascii: " ")]
    private static let unitUsual: [UInt8] = [UInt8(ascii: " "), UInt8(ascii: " ")]

    /// A member, or an element of an array, which has no key.
    typealias Member = (key: String?, value: JSONValue)

    private let document: JSONDocument
    /// That of the first line.
    private let lineEnd: [UInt8]
    /// Whether the first array of scalars in the text stands on one line.
    private let hasFlatArrays: Bool
    /// That of the first member of the text.
    private let firstColon: [UInt8]
    /// What one level adds to the indentation in the first container of the text that has lines.
    private let firstUnit: [UInt8]

    private var places: JSONPlaces { document.places }
    private var bytes: [UInt8] { document.bytes }

    init(of document: JSONDocument) {
        self.document = document
        let all = document.places.all.indices
        lineEnd = document.lineEnd
        hasFlatArrays = all.first { document.isFlatArray($0) }.map { !document.hasLines($0) } ?? false
        firstColon = all.lazy.compactMap { document.colon(of: $0) }.first ?? Self.colonUsual
        firstUnit = all.lazy.compactMap { document.unit(under: $0) }.first ?? Self.unitUsual
    }

    // MARK: - Values in place of others

    func replacement(of place: Int, parent: Int?, by new: JSONValue) -> JSONDocument.Edit {
        let keepsKind = document.kind(of: place) == new.kind && !places.isEmpty(place)
        var layout = JSONLayout.spaced
        if new.isContainer {
            let isOnLines =
                keepsKind ? document.hasLines(place) : linesAreUsual(for: Shape(of: new), under: parent, butFor: place)
            let margin = document.indentation(ofLineWith: places.all[place].memberRange.lowerBound)
            layout = self.layout(onLines: isOnLines, margin: margin, under: keepsKind ? place : parent)
        }
        var writer = JSONWriter(layout: layout)
        writer.write(new)
        return JSONDocument.Edit(range: places.all[place].range, replacement: writer.bytes)
    }

    private func layout(onLines: Bool, margin: [UInt8], under container: Int?) -> JSONLayout {
        let colon = colon(near: container)
        guard onLines else { return colon.last == UInt8(ascii: ":") ? .dense : .spaced }
        var lines = JSONLayout.Lines(unit: unit(near: container))
        lines.margin = margin
        lines.lineEnd = lineEnd
        lines.colon = colon
        lines.hasFlatArrays = hasFlatArrays
        return .lines(lines)
    }

    // MARK: - New members and elements

    /// The edit that appends members (with a key) or elements (without) to a container.
    func insertion(of members: [Member], in container: Int, parent: Int?) -> JSONDocument.Edit {
        guard let last = places.last(of: container) else {
            return filling(of: container, with: members, parent: parent)
        }
        let lead = document.lead(of: last)
        let isOnLines = lead.contains(UInt8(ascii: "\n"))
        let outer = document.indentation(ofLineWith: Int(places.all[container].start))
        let margin = isOnLines ? Array(lead.suffix { $0 != UInt8(ascii: "\n") }) : outer
        let hasComma = last > container + 1
        let blank = isOnLines ? lineEnd + margin : hasComma ? Array(lead) : blankAfterComma(near: container)
        var text: [UInt8] = []
        for member in members {
            let hasLines = linesAreUsual(for: Shape(of: member.value), under: container, butFor: nil)
            let layout = layout(onLines: hasLines, margin: margin, under: container)
            text += [UInt8(ascii: ",")] + blank
            text += self.text(of: member, layout: layout, colon: colon(near: container))
        }
        let end = Int(places.all[last].end)
        return JSONDocument.Edit(range: end..<end, replacement: text)
    }

    /// The edit that puts the first members into an empty container.
    private func filling(of container: Int, with members: [Member], parent: Int?) -> JSONDocument.Edit {
        let range = places.all[container].range
        let inside = (range.lowerBound + 1)..<(range.upperBound - 1)
        let blank = bytes[inside]
        let isArray = document.kind(of: container) == .array
        let shape = isArray ? Shape(of: .array(members.map(\.value))) : .object
        let isOnLines =
            blank.contains(UInt8(ascii: "\n"))
            || (linesAreUsual(for: shape, under: parent, butFor: container) && !(shape == .flatArray && hasFlatArrays))
        let outer = document.indentation(ofLineWith: range.lowerBound)
        let margin = isOnLines ? outer + unit(near: parent) : outer
        let layout = layout(onLines: isOnLines, margin: margin, under: parent)
        let comma: [UInt8] = [UInt8(ascii: ",")] + (isOnLines ? lineEnd + margin : blankAfterComma(near: parent))
        var text = isOnLines ? lineEnd + margin : Array(blank)
        for (place, member) in members.enumerated() {
            if place > 0 { text += comma }
            text += self.text(of: member, layout: layout, colon: colon(near: parent))
        }
        text += isOnLines ? lineEnd + outer : Array(blank)
        return JSONDocument.Edit(range: inside, replacement: text)
    }

    private func text(of member: Member, layout: JSONLayout, colon: [UInt8]) -> [UInt8] {
        var writer = JSONWriter(layout: layout)
        if let key = member.key {
            writer.write(key)
            writer.write(verbatim: colon)
        }
        writer.write(member.value)
        return writer.bytes
    }

    /// A single member shows no comma; its colon shows whether the text is a dense one.
    private func blankAfterComma(near container: Int?) -> [UInt8] {
        colon(near: container).last == UInt8(ascii: ":") ? [] : [UInt8(ascii: " ")]
    }

    // MARK: - What is usual there

    /// What siblings of a container are its models.
    private enum Shape {
        case object
        /// An array of nothing but scalars: people keep those on one line where all else has lines.
        case flatArray
        case array

        init(of value: JSONValue) {
            if case .array(let elements) = value {
                self = elements.contains(where: \.isContainer) ? .array : .flatArray
            } else {
                self = .object
            }
        }
    }

    private func shape(of place: Int) -> Shape? {
        guard !places.isEmpty(place) else { return nil }
        switch document.kind(of: place) {
        case .object: return .object
        case .array: return document.isFlatArray(place) ? .flatArray : .array
        default: return nil
        }
    }

    /// Whether a container goes on lines under a parent: as the last sibling of its shape does; where there is none, as
    /// the parent does. At the root it does: a document is for people.
    private func linesAreUsual(for shape: Shape, under parent: Int?, butFor place: Int?) -> Bool {
        guard let parent else { return true }
        var usual: Bool?
        var parentHasLines = false
        for child in places.children(of: parent) {
            parentHasLines = parentHasLines || document.isOnOwnLine(child)
            if child != place, self.shape(of: child) == shape { usual = document.hasLines(child) }
        }
        return usual ?? parentHasLines
    }

    private func colon(near container: Int?) -> [UInt8] {
        let last = container.flatMap { places.last(of: $0) }
        return last.flatMap { document.colon(of: $0) } ?? firstColon
    }

    private func unit(near container: Int?) -> [UInt8] {
        container.flatMap { document.unit(under: $0) } ?? firstUnit
    }
}

// MARK: - What the text shows

extension JSONDocument {
    fileprivate func hasLines(_ container: Int) -> Bool {
        places.children(of: container).contains { isOnOwnLine($0) }
    }

    fileprivate func isOnOwnLine(_ place: Int) -> Bool {
        lead(of: place).contains(UInt8(ascii: "\n"))
    }

    /// An array of nothing but scalars, and not empty.
    fileprivate func isFlatArray(_ place: Int) -> Bool {
        kind(of: place) == .array && !places.isEmpty(place)
            && places.children(of: place).allSatisfy { ![.array, .object].contains(kind(of: $0)) }
    }

    /// The whitespace before a member or an element.
    fileprivate func lead(of place: Int) -> ArraySlice<UInt8> {
        let start = places.all[place].memberRange.lowerBound
        return bytes[..<start].suffix { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
    }

    /// `:` and the blanks around it; nil where there is no key, or a line ends there.
    fileprivate func colon(of place: Int) -> [UInt8]? {
        guard let key = places.all[place].keyRange else { return nil }
        let between = bytes[key.upperBound..<Int(places.all[place].start)]
        return between.contains(UInt8(ascii: "\n")) ? nil : Array(between)
    }

    /// What a level of nesting adds to the beginning of a line in that container; nil where it has no lines.
    fileprivate func unit(under container: Int) -> [UInt8]? {
        guard let child = places.children(of: container).first(where: { isOnOwnLine($0) }) else { return nil }
        let inner = indentation(ofLineWith: places.all[child].memberRange.lowerBound)
        let outer = indentation(ofLineWith: Int(places.all[container].start))
        guard inner.count > outer.count, inner.starts(with: outer) else { return nil }
        return Array(inner[outer.count...])
    }

    /// The blanks with which the line of that byte begins.
    fileprivate func indentation(ofLineWith offset: Int) -> [UInt8] {
        var start = lineStart(ofByte: offset).offset
        if start == 0, bytes.starts(with: byteOrderMark) { start = byteOrderMark.count }
        return Array(bytes[start..<max(start, offset)].prefix { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") })
    }

    fileprivate var lineEnd: [UInt8] {
        guard let first = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return [UInt8(ascii: "\n")] }
        let hasReturn = first > 0 && bytes[first - 1] == UInt8(ascii: "\r")
        return hasReturn ? [UInt8(ascii: "\r"), UInt8(ascii: "\n")] : [UInt8(ascii: "\n")]
    }
}

extension ArraySlice {
    /// The longest end of which every element meets a condition.
    fileprivate func suffix(while condition: (Element) -> Bool) -> ArraySlice {
        let start = lastIndex { !condition($0) }.map { $0 + 1 } ?? startIndex
        return self[start...]
    }
}
