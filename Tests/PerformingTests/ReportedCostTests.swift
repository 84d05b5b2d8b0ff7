import Processes
import Testing

@testable import Performing

/// What agents print of their cost at their end.
@Suite struct ReportedCostTests {
    private func cost(_ text: String, dropping count: Int = 0) -> Double? {
        let bytes = Array(text.utf8)
        return ReportedCost.find(
            in: OutputExcerpt(
                head: Array(bytes.prefix(4)), tail: Array(bytes.dropFirst(4 + count)), totalCount: bytes.count,
                droppedCount: count))
    }

    @Test(arguments: [
        (#"{"total_cost_usd": 0.25}"#, 0.25), ("work\n{\"total_cost_usd\":1,\"result\":\"}\"}\n\n", 1.0),
        ("{\n  \"a\": {\n},\n  \"total_cost_usd\": 0.5\n}\n", 0.5), (#"{"total_cost_usd": 0}"#, 0.0),
        ("{\"total_cost_usd\": 1}\n{\"total_cost_usd\": 2}\n", 2.0),
    ])
    func `it is in the object that was printed last`(text: String, wanted: Double) { #expect(cost(text) == wanted) }

    @Test(arguments: [
        "", "}", "{}", "total_cost_usd", #"{"total_cost_usd": "1"}"#, #"{"total_cost_usd": -1}"#,
        #"{"total_cost_usd": 1e999}"#, #"{"total_cost_usd": 1} and more"#, #"x {"total_cost_usd": 1}"#,
        "  }\ntotal_cost_usd }", #"[{"total_cost_usd": 1}]"#, "{\"total_cost_usd\": 1}\n{}",
    ])
    func `anything else has none`(text: String) { #expect(cost(text) == nil) }

    @Test func `it is found behind what was dropped, and not across it`() {
        let text = "abcdefgh\n" + #"{"total_cost_usd": 3}"#
        #expect(cost(text, dropping: 5) == 3)
        #expect(cost(text, dropping: 7) == nil)
    }
}
