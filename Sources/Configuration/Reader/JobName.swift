import JSON

/// The rule for names of jobs: 1–128 of letters, digits, `_ - . :`.
public enum JobName {
    public static func isValid(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= Bounds.nameLengthMax && name.utf8.allSatisfy(isNameByte)
    }

    /// ASCII letters and digits only: a name stands in ids, file names and object paths.
    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: ":"):
            true
        default:
            false
        }
    }
}

extension Field {
    /// The name of a job: its own, or of one that it refers to.
    func jobName(hint: String = "") throws(FieldError) -> String {
        let expected = "a name of 1 to \(Bounds.nameLengthMax) letters, digits, _ - . :"
        guard let name = value.stringValue, JobName.isValid(name) else { throw refusal(expected: expected + hint) }
        return name
    }

    /// The name of a queue, by the same rule.
    func queueName() throws(FieldError) -> String {
        guard let name = value.stringValue, JobName.isValid(name) else {
            throw refusal(expected: "a name of a queue: 1 to \(Bounds.nameLengthMax) letters, digits, _ - . :")
        }
        return name
    }
}
