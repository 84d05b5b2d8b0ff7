import Testing

@testable import Configuration

@Suite struct FailureClassifierTests {
    @Test(
        arguments: [
            ("HTTP 401", "auth"), ("401", "auth"), ("status=403, sorry", "auth"), ("error 14010", nil),
            ("401k plan", nil),
            ("a_401", nil), ("é401", nil), ("4011", nil), ("4401 and 401", "auth"), ("(403)", "auth"),
            ("Token EXPIRED at noon", "auth"), ("Permission denied (publickey)", "auth"), ("Unauthorized", "auth"),
            ("missing credentials", "auth"), ("No route to host", "network"), ("dial tcp 10.0.0.1:443", "network"),
            ("request timeout", "network"), ("HTTPSConnectionPool(host=x)", "network"), ("unexpected EOF", "network"),
            ("it timed out", "timeout"), ("context deadline exceeded", "timeout"), ("segmentation fault", nil),
            ("", nil),
            // The first type with a match wins.
            ("connection refused: 403 forbidden", "auth"), ("timeout: it timed out", "network"),
        ] as [(String, String?)])
    func theTypeIsInTheText(text: String, expected: String?) {
        #expect(FailureClassifier().type(ofError: text, output: nil) == expected)
        #expect(FailureClassifier().type(ofError: nil, output: text) == expected)
    }

    @Test func theErrorGoesBeforeTheOutput() {
        let classifier = FailureClassifier()
        #expect(classifier.type(ofError: "timed out", output: "401") == "timeout")
        #expect(classifier.type(ofError: "exit status 1", output: "401") == "auth")
        #expect(classifier.type(ofError: nil, output: nil) == nil)
    }

    @Test func ownPatternsGoFirst() {
        let classifier = FailureClassifier(own: [
            .init(type: "license", texts: ["No Seat", ""]), .init(type: "vpn", texts: ["connection refused", "77"]),
        ])
        #expect(classifier.type(ofError: "no seat left", output: nil) == "license")
        #expect(classifier.type(ofError: "connection refused", output: nil) == "vpn")
        #expect(classifier.type(ofError: "code 77", output: nil) == "vpn")
        #expect(classifier.type(ofError: "code 770", output: nil) == nil)
        #expect(classifier.type(ofError: "401", output: nil) == "auth")
        #expect(classifier.types == ["license", "vpn", "auth", "network", "timeout"])
    }

    @Test func aMegabyteOfOutputIsSearched() {
        let output = String(repeating: "nothing to see here 4010 \n", count: 40_000) + "Deadline Exceeded"
        #expect(FailureClassifier().type(ofError: nil, output: output) == "timeout")
    }
}
