import JSON
import TestSupport
import Testing

@Suite struct ValueTests {
    @Test(
        arguments: [
            ("5", 5), ("5.0", 5), ("5e0", 5), ("50e-1", 5), ("0.5e1", 5), ("-0", 0), ("0e999999999999999999999", 0),
            ("0.000e-99999999999999999999", 0), ("1e18", 1_000_000_000_000_000_000), ("1e19", nil), ("5.5", nil),
            ("0.1", nil), ("1e-1", nil), ("9223372036854775807", .max), ("9223372036854775808", nil),
            ("-9223372036854775808", .min), ("-9223372036854775809", nil), ("-9223372036854775808.000", .min),
            ("9223372036854775807e0", .max), ("1e99999999999999999999999", nil), ("1e-99999999999999999999999", nil),
            ("12300e-2", 123), ("12345e-2", nil), ("922337203685477580.7e1", .max), ("-1.5e1", -15),
        ] as [(String, Int?)])
    func `a number is an integer where its value is whole and fits`(_ text: String, _ expected: Int?) throws {
        #expect(try JSONValue(parsing: text).intValue == expected)
    }

    @Test(
        arguments: [
            ("0.1", 0.1), ("1e308", 1e308), ("1e309", nil), ("-1e999", nil), ("5e-324", .leastNonzeroMagnitude),
            ("1e-999", 0),
            ("9007199254740993", 9_007_199_254_740_992), ("123", 123),
        ] as [(String, Double?)])
    func `a number is the nearest double where one is near`(_ text: String, _ expected: Double?) throws {
        #expect(try JSONValue(parsing: text).doubleValue == expected)
    }

    @Test(arguments: ["", "01", "+1", "1.", ".5", " 1", "1 ", "NaN", "1e", "0x1", "١", "1\u{301}", "--1"])
    func `text that is no number makes none`(_ text: String) {
        #expect(JSONNumber(text: text) == nil)
    }

    @Test func `doubles are written so that they read back the same`() throws {
        var random = SeededGenerator(seed: 11)
        var values: [Double] = [
            0, -0.0, 1, 0.1, 1e16, 1e22, 1e23, .leastNonzeroMagnitude, .greatestFiniteMagnitude, .pi,
        ]
        for _ in 0..<20_000 { values.append(Double(bitPattern: random.next())) }
        for value in values where value.isFinite {
            let number = try #require(JSONNumber(value))
            #expect(JSONNumber(text: number.text) == number)
            #expect(number.doubleValue?.bitPattern == value.bitPattern)
        }
        for value in [Double.nan, .infinity, -.infinity] {
            #expect(JSONNumber(value) == nil)
            #expect(JSONValue.number(value) == .null)
        }
    }

    @Test func `literals keep their order and their kinds`() {
        let value: JSONValue = [
            "z": 1, "a": [1.5, -2, true, nil, "text"], "m": ["nested": [:]], "list": [],
        ]
        #expect(value.compactText == #"{"z": 1, "a": [1.5, -2, true, null, "text"], "m": {"nested": {}}, "list": []}"#)
        #expect(JSONValue.number(UInt64.max).compactText == "18446744073709551615")
        #expect(JSONValue.number(Int64.min).intValue == .min)
    }

    @Test func `an accessor of another kind gives nil`() throws {
        let values = try JSONValue(parsing: #"[null, true, 1, "1", [], {}]"#).arrayValue ?? []
        #expect(values.map(\.isNull) == [true, false, false, false, false, false])
        #expect(values.map { $0.boolValue != nil } == [false, true, false, false, false, false])
        #expect(values.map { $0.intValue != nil } == [false, false, true, false, false, false])
        #expect(values.map { $0.stringValue != nil } == [false, false, false, true, false, false])
        #expect(values.map { $0.arrayValue != nil } == [false, false, false, false, true, false])
        #expect(values.map { $0.objectValue != nil } == [false, false, false, false, false, true])
        #expect(values[4][0] == nil)
        #expect(values[3]["a"] == nil)
        #expect(JSONValue.array(values)[-1] == nil)
    }

    @Test func `equality is exact`() throws {
        #expect(try JSONValue(parsing: "1.0") != JSONValue(parsing: "1"))
        #expect(try JSONValue(parsing: #"{"a":1,"b":2}"#) != JSONValue(parsing: #"{"b":2,"a":1}"#))
        #expect(try JSONValue(parsing: #""\u00e9""#) == JSONValue(parsing: "\"\u{E9}\""))
        #expect(JSONValue.string("\u{E9}") != JSONValue.string("e\u{301}"))
        #expect(Set([JSONValue.string("\u{E9}"), "e\u{301}", "\u{E9}"]).count == 2)
    }

    @Test(arguments: [3, 40]) func `canonically equivalent keys are different keys`(_ fillers: Int) {
        var object = JSONObject((0..<fillers).map { ("k\($0)", .number($0)) })
        object["\u{E9}"] = 1
        object["e\u{301}"] = 2
        #expect(object.count == fillers + 2)
        #expect(object["\u{E9}"] == 1)
        object["\u{E9}"] = nil
        #expect(object["e\u{301}"] == 2)
    }

    @Test func `an object agrees with a plain list of members under random edits`() {
        for seed in UInt64(1)...40 {
            var random = SeededGenerator(seed: seed)
            var object = JSONObject()
            var model: [(String, JSONValue)] = []
            for step in 0..<200 {
                let key = "key\(random.next() % 40)"
                if random.next() % 4 == 0 {
                    object[key] = nil
                    model.removeAll { $0.0 == key }
                } else {
                    object[key] = .number(step)
                    if let place = model.firstIndex(where: { $0.0 == key }) {
                        model[place].1 = .number(step)
                    } else {
                        model.append((key, .number(step)))
                    }
                }
                #expect(object == JSONObject(model), "seed \(seed), step \(step)")
                #expect(object[key] == model.last { $0.0 == key }?.1, "seed \(seed), step \(step)")
            }
        }
    }

    @Test(arguments: [2, 30]) func `the last of a duplicated key is the one that is looked up`(_ fillers: Int) throws {
        let members = (0..<fillers).map { "\"k\($0)\": 0, " }.joined()
        let value = try JSONValue(parsing: "{\"a\": 1, \(members)\"a\": 2}")
        var object = try #require(value.objectValue)
        #expect(object["a"] == 2)
        object["a"] = 3
        #expect(object.first?.value == 1)
        #expect(object.last?.value == 3)
        object["a"] = nil
        #expect(object["a"] == nil)
        #expect(object.count == fillers)
    }

    @Test func `looking up in a large object does not slow down with its size`() throws {
        let count = 200_000
        let text = "{" + (0..<count).map { "\"k\($0)\": \($0)" }.joined(separator: ", ") + "}"
        let object = try #require(try JSONValue(parsing: text).objectValue)
        // Quadratic, this would be 2e10 comparisons.
        for key in 0..<count { #expect(object["k\(key)"]?.intValue == key) }
    }

    @Test func `pretty text has one member a line`() throws {
        let value: JSONValue = ["a": 1, "b": [1, ["c": nil]], "d": [], "e": [:]]
        let expected = """
            {
              "a": 1,
              "b": [
                1,
                {
                  "c": null
                }
              ],
              "d": [],
              "e": {}
            }
            """
        #expect(value.prettyText(indent: 2) == expected)
    }
}
