// A libFuzzer target for the JSON room.
//
// The first byte seeds an edit, the rest is the text. A broken promise traps.

import JSON

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJSON(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 0 else { return 0 }
    let bytes = Array(UnsafeBufferPointer(start: data + 1, count: count - 1))
    let value: JSONValue
    do throws(JSONError) {
        value = try JSONValue(parsing: bytes)
    } catch {
        precondition(error.line >= 1 && error.column >= 1, "a place is counted from 1")
        precondition((0...bytes.count).contains(error.byteOffset), "an error is inside of the text")
        return 0
    }
    checkWriting(value)
    checkPlaces(bytes, value)
    checkEdit(bytes, value, choice: Int(data[0]))
    return 0
}

private func checkWriting(_ value: JSONValue) {
    for text in [value.compactText, value.prettyText(indent: 1)] {
        guard let again = try? JSONValue(parsing: text) else { preconditionFailure("what is written cannot be read") }
        precondition(again == value, "what is written reads back as another value")
    }
    if case .number(let number) = value {
        precondition(JSONNumber(text: number.text) == number, "a number of a text is a number")
        if let whole = number.intValue { precondition(number.doubleValue == Double(whole), "5.0 is 5") }
    }
}

/// The bytes of every value are that value.
private func checkPlaces(_ bytes: [UInt8], _ value: JSONValue) {
    guard let document = try? JSONDocument(bytes: bytes) else { preconditionFailure("a text is no document") }
    precondition(document.bytes == bytes && document.root == value, "a document is not its text")
    for (path, inner) in pathsOneDown(of: value) {
        guard let range = document.range(of: path), let place = document.location(of: path) else {
            preconditionFailure("a value has no place")
        }
        precondition(place.line >= 1 && place.column >= 1, "a place is counted from 1")
        precondition((try? JSONValue(parsing: bytes[range])) == inner, "a place is that of another value")
    }
}

private func checkEdit(_ bytes: [UInt8], _ value: JSONValue, choice: Int) {
    let replacements: [JSONValue] = [nil, 7, "new\n", [], ["k": [1, ["z": []]]], [[1], "x"], [:]]
    let replacement = replacements[choice % replacements.count]
    var paths = pathsOneDown(of: value).map(\.path) + [[], ["new key"], ["new key", "b"]]
    if let elements = value.arrayValue { paths.append([.index(elements.count)]) }
    let path = paths[choice % paths.count]
    guard var document = try? JSONDocument(bytes: bytes) else { return }
    do throws(JSONEditError) {
        try document.set(replacement, at: path)
        precondition(document.root[path] == replacement, "what was set is not there")
    } catch {
        precondition(document.bytes == bytes, "a refused edit has changed the text")
    }
    checkNeighbours(of: path, before: value, after: document.root)
    guard (try? document.remove(at: path)) == true else { return }
    if case .key = path.last { precondition(document.root[path] == nil, "what was removed is there") }
    precondition((try? JSONValue(parsing: document.bytes)) == document.root, "a document is not its text")
}

private func checkNeighbours(of path: [JSONPathStep], before: JSONValue, after: JSONValue) {
    guard let first = path.first else { return }
    for (other, inner) in pathsOneDown(of: before) where other != [first] {
        precondition(after[other] == inner, "an edit has changed a neighbour")
    }
}

/// Few enough to try all of them in each run.
private func pathsOneDown(of value: JSONValue) -> [(path: [JSONPathStep], value: JSONValue)] {
    let most = 20
    switch value {
    case .array(let elements):
        return elements.prefix(most).enumerated().map { ([.index($0)], $1) }
    case .object(let members):
        return members.prefix(most).map { ([.key($0.key)], members[$0.key] ?? $0.value) }
    default:
        return []
    }
}
