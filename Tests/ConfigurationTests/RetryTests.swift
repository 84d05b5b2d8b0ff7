import Scheduling
import Testing

@testable import Configuration

/// The retry of a job: what is written in the section and in the job, and what comes of it.
@Suite struct RetryTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let section: String
        let members: String
        /// Attempts, delay, cap, backoff, jitter.
        let expected: String

        init(_ section: String, _ members: String, _ expected: String) {
            self.section = section
            self.members = members
            self.expected = expected
        }

        var testDescription: String { "\(section) \(members)" }
    }

    static let older =
        #""default_retry": {"max_attempts": 2, "backoff": "exponential", "initial_delay_seconds": 30, "#
        + #""max_delay_seconds": 300}"#
    static let present = #""default_retry": {"max_attempts": 5, "delay_seconds": 10, "backoff_multiplier": 3}"#

    static let rows: [Row] = [
        .init("", "", "none"),
        .init("", #""retry": false"#, "none"),
        .init("", #""retry": {}"#, "3 60.0 3600.0 ×2.0 0.0"),
        .init("", #""retry": null"#, "none"),
        .init("", #""retry": {"max_attempts": 1}"#, "1 60.0 3600.0 ×2.0 0.0"),
        .init(
            "", #""retry": {"delay_seconds": 5, "max_delay_seconds": "10m", "jitter": 0.25}"#, "3 5.0 600.0 ×2.0 0.25"),
        .init("", #""retry": {"retry_delay": 5}"#, "3 5.0 3600.0 ×2.0 0.0"),
        .init("", #""retry": {"max_retry_attempts": 4}"#, "5 60.0 3600.0 ×2.0 0.0"),
        .init("", #""retry": {"backoff_multiplier": 1.5}"#, "3 60.0 3600.0 ×1.5 0.0"),
        // The older spelling: other defaults, and retries are counted.
        .init("", #""retry": {"initial_delay_seconds": 30}"#, "3 30.0 300.0 ×2.0 0.0"),
        .init("", #""retry": {"backoff": "linear"}"#, "3 30.0 300.0 + 0.0"),
        .init("", #""retry": {"max_attempts": 2, "backoff": "exponential"}"#, "3 30.0 300.0 ×2.0 0.0"),
        .init("", #""retry": {"max_attempts": 0, "initial_delay_seconds": 5}"#, "1 5.0 300.0 ×2.0 0.0"),
        .init("", #""retry": {"backoff": "linear", "backoff_multiplier": 3}"#, "3 30.0 300.0 + 0.0"),
        // A default.
        .init(present, "", "5 10.0 3600.0 ×3.0 0.0"),
        .init(present, #""retry": false"#, "none"),
        .init(present, #""retry": {"max_attempts": 2}"#, "2 10.0 3600.0 ×3.0 0.0"),
        .init(present, #""retry": {"max_attempts": 2, "backoff": "linear"}"#, "3 10.0 3600.0 + 0.0"),
        .init(older, "", "3 30.0 300.0 ×2.0 0.0"),
        .init(older, #""retry": {"max_attempts": 1}"#, "2 30.0 300.0 ×2.0 0.0"),
        .init(older, #""retry": {"max_attempts": 3, "delay_seconds": 60}"#, "3 60.0 300.0 ×2.0 0.0"),
        .init(older, #""retry": {"max_attempts": 3, "initial_delay_seconds": 60}"#, "4 60.0 300.0 ×2.0 0.0"),
        .init(older, #""retry": {"delay_seconds": 60}"#, "3 60.0 300.0 ×2.0 0.0"),
        .init(#""default_retry": false"#, "", "none"),
        // Three keys that together are a default.
        .init(
            #""retry_failed_events": true, "max_retry_attempts": 3, "retry_delay": 300"#, "",
            "4 300.0 3600.0 ×2.0 0.0"),
        .init(#""max_retry_attempts": 2"#, "", "3 60.0 3600.0 ×2.0 0.0"),
        .init(#""retry_failed_events": true"#, "", "3 60.0 3600.0 ×2.0 0.0"),
        .init(#""retry_failed_events": false, "max_retry_attempts": 3"#, "", "none"),
        .init(#""retry_failed_events": true, "retry_delay": 300, "# + present, "", "5 10.0 3600.0 ×3.0 0.0"),
        // Nothing is worth another attempt.
        .init("", #""retry": {"retry_on": []}"#, "1 60.0 3600.0 ×2.0 0.0"),
    ]

    @Test(arguments: rows)
    func objectsAreLaidOverEachOther(row: Row) throws {
        let policy = try runnable(row.members, section: row.section).retry
        let text = policy.map { policy in
            let backoff =
                switch policy.backoff {
                case .exponential(let multiplier): "×\(multiplier)"
                case .linear: "+"
                }
            return
                "\(policy.maxAttempts) \(seconds(policy.delay)) \(seconds(policy.maxDelay)) \(backoff) \(policy.jitter)"
        }
        #expect((text ?? "none") == row.expected)
    }

    private func seconds(_ duration: Duration) -> Double { duration / .seconds(1) }

    @Test func whatToRetryOnIsAList() throws {
        let job = try runnable(
            #""retry": {"retry_on": ["auth", "network", "timeout", "unknown", "interrupted", "license", "any", "#
                + #""exit:75", "exit:64-78", "signal:SIGKILL", "signal:TERM", "signal:10"]}"#,
            section: #""failure_patterns": {"license": ["no seat"]}"#)
        #expect(
            job.retry?.on == [
                .type("auth"), .type("network"), .type("timeout"), .type("unknown"), .type("interrupted"),
                .type("license"), .any, .exit(75, 75), .exit(64, 78), .signal(9), .signal(15), .signal(10),
            ])
    }

    @Test(arguments: [
        ("5", "retry: found the number 5; expected an object, or false for no retry"),
        ("true", "retry: found true; expected an object, or false for no retry"),
        (
            #"{"max_attempts": 0}"#,
            "retry.max_attempts: found the number 0; expected a whole number from 1 to 1000000000"
        ),
        (
            #"{"max_attempts": 2, "max_retry_attempts": 1}"#,
            "retry.max_attempts: says the same as max_retry_attempts in another way; give one of them"
        ),
        (#"{"jitter": 1.5}"#, "retry.jitter: found the number 1.5; expected a number from 0 to 1"),
        (
            #"{"backoff": "random"}"#,
            #"retry.backoff: found the string "random"; expected one of exponential, linear"#
        ),
        (
            #"{"retry_on": ["netwrk"]}"#,
            #"retry.retry_on[0]: found the string "netwrk"; "#
                + #"expected any, exit:CODE, exit:FROM-TO, signal:NAME or a failure type; did you mean "network"?"#
        ),
        (
            #"{"retry_on": ["exit:300"]}"#,
            #"retry.retry_on[0]: found the string "exit:300"; expected exit:CODE or exit:FROM-TO, codes from 0 to 255"#
        ),
        (
            #"{"retry_on": ["exit:9-1"]}"#,
            #"retry.retry_on[0]: found the string "exit:9-1"; expected exit:CODE or exit:FROM-TO, codes from 0 to 255"#
        ),
        (
            #"{"retry_on": ["signal:SIGFOO"]}"#,
            #"retry.retry_on[0]: found the string "signal:SIGFOO"; "#
                + #"expected signal:NAME such as signal:SIGKILL, or signal:NUMBER from 1 to 64"#
        ),
        (#"{"retry_on": "auth"}"#, #"retry.retry_on: found the string "auth"; expected an array of failure types"#),
    ])
    func aWrongRetryIsNamed(retry: String, expected: String) throws {
        #expect(try refusal("\"name\": \"j\", \"command\": \"true\", \"retry\": \(retry)") == expected)
    }
}
