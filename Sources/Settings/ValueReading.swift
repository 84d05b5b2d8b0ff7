public import Configuration
internal import JSON

/// A value of config.json that is being read, a piece at a time: of the file as it was when the reading began.
public struct ValueReading: Sendable {
    /// The text that is looked through at a time, in bytes: some 5 ms.
    public static let pieceBytes = 256 << 10

    private let path: String
    /// Nil where there is no file.
    private var extraction: JSONExtraction?

    init(path: String, extraction: JSONExtraction?) {
        self.path = path
        self.extraction = extraction
    }

    /// - Returns: whether there is more to do.
    /// - Throws: where the file is no JSON.
    public mutating func goOn() throws(SettingsError) -> Bool {
        do throws(JSONError) {
            return try extraction?.goOn(bytesMax: Self.pieceBytes) ?? false
        } catch {
            throw .configuration(ConfigurationError(error, parsing: path))
        }
    }

    /// How long the text of the value is so far.
    public var writtenBytes: Int { extraction?.writtenBytes ?? 0 }

    /// The value as JSON, once all is read; nil where there is none.
    public var text: String? { extraction?.text }
}
