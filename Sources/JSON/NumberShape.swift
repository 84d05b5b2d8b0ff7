/// Where the parts of a number stand in a text, by the grammar of RFC 8259 section 6:
/// `[-] (0 | 1-9 digits) [. digits] [(e|E) [+|-] digits]`.
struct NumberShape {
    /// What is missing where the grammar is not met.
    enum Fault {
        case digits
        case leadingZero
        case fractionDigits
        case exponentDigits
    }

    /// Past the last byte of the number; at the offending byte where there is a fault.
    private(set) var end: Int
    private(set) var fault: Fault?
    private let isNegative: Bool
    private let integer: Range<Int>
    private var fraction: Range<Int>
    private var exponent: Range<Int>
    private var isExponentNegative = false

    init(scanning bytes: UnsafeBufferPointer<UInt8>, from start: Int) {
        // What is asked of a place is asked without a variable that functions share: access to one of those is checked
        // at run time, which took a third of the time of a file of numbers.
        func isNext(_ character: Unicode.Scalar, at place: Int) -> Bool {
            place < bytes.count && bytes[place] == UInt8(ascii: character)
        }
        func digits(from first: Int) -> Range<Int> {
            var end = first
            while end < bytes.count, bytes[end] &- UInt8(ascii: "0") < 10 { end += 1 }
            return first..<end
        }

        isNegative = isNext("-", at: start)
        integer = digits(from: isNegative ? start + 1 : start)
        end = integer.upperBound
        fraction = end..<end
        exponent = end..<end
        if integer.isEmpty {
            fault = .digits
            return
        }
        if integer.count > 1, bytes[integer.lowerBound] == UInt8(ascii: "0") {
            fault = .leadingZero
            end = integer.lowerBound
            return
        }
        if isNext(".", at: end) {
            fraction = digits(from: end + 1)
            end = fraction.upperBound
            if fraction.isEmpty {
                fault = .fractionDigits
                return
            }
        }
        if isNext("e", at: end) || isNext("E", at: end) {
            isExponentNegative = isNext("-", at: end + 1)
            let hasSign = isExponentNegative || isNext("+", at: end + 1)
            exponent = digits(from: end + (hasSign ? 2 : 1))
            end = exponent.upperBound
            if exponent.isEmpty { fault = .exponentDigits }
        }
    }

    /// The value where it is whole and fits `Int`. Linear in the length of the text, whatever the exponent says.
    func wholeValue(in bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        guard fault == nil else { return nil }
        /// Beyond this many powers of ten only zero fits; it also keeps the sum below from overflowing.
        let exponentLargest = 1 << 40
        var power = 0
        for at in exponent where power < exponentLargest {
            power = power * 10 + Int(bytes[at] - UInt8(ascii: "0"))
        }
        // How many digits stand before the decimal point once the exponent has moved it.
        let wholeDigits = integer.count + (isExponentNegative ? -power : power)

        var magnitude: Int = 0
        var position = 0
        for at in [integer, fraction].joined() {
            let digit = Int(bytes[at] - UInt8(ascii: "0"))
            if position >= wholeDigits {
                if digit != 0 { return nil }
            } else {
                // Counting down from zero: the smallest Int has no positive twin.
                guard let next = Self.appending(digit, to: magnitude) else { return nil }
                magnitude = next
            }
            position += 1
        }
        if magnitude != 0 {
            while position < wholeDigits {
                guard let next = Self.appending(0, to: magnitude) else { return nil }
                magnitude = next
                position += 1
            }
        }
        if isNegative { return magnitude }
        return magnitude == .min ? nil : -magnitude
    }

    /// `negative * 10 - digit`; nil where it does not fit.
    private static func appending(_ digit: Int, to negative: Int) -> Int? {
        let (tens, tensOverflow) = negative.multipliedReportingOverflow(by: 10)
        let (sum, sumOverflow) = tens.subtractingReportingOverflow(digit)
        return tensOverflow || sumOverflow ? nil : sum
    }
}
