import Glibc
import JSON
import Scheduling

/// Reads `retry` of a job and `default_retry` of the section, in the present spelling and in the older one.
struct RetryReader {
    /// The types that patterns can give, beside those that need none.
    let failureTypes: [String]

    static let vocabulary = Vocabulary(
        [
            "max_attempts", "delay_seconds", "backoff_multiplier", "max_delay_seconds", "jitter", "backoff", "retry_on",
            "max_retry_attempts",
        ],
        older: ["delay_seconds": ["initial_delay_seconds", "retry_delay"]])

    private static let expected = "an object, or false for no retry"

    // MARK: - Reading

    func readDefaults(_ field: Field) throws(FieldError) -> RetryDefaults {
        var defaults = RetryDefaults()
        if field.value.boolValue == false { return defaults }
        let fields = try Fields(field, Self.vocabulary, expected: Self.expected)
        defaults.countsRetries = Self.carriesOlderKeys(fields)
        defaults.policy = try policy(fields, over: nil, countsRetries: defaults.countsRetries)
        return defaults
    }

    /// The object of a job, laid over the defaults; nil for `false`.
    func read(_ field: Field, over defaults: RetryDefaults) throws(FieldError) -> RetryPolicy? {
        if field.value.boolValue == false { return nil }
        let fields = try Fields(field, Self.vocabulary, expected: Self.expected)
        // An object that names no delay continues the spelling of the one that it is laid over.
        let continues = fields["delay_seconds"] == nil && defaults.countsRetries
        return try policy(
            fields, over: defaults.policy, countsRetries: Self.carriesOlderKeys(fields) || continues)
    }

    private static func carriesOlderKeys(_ fields: Fields) -> Bool {
        fields["backoff"] != nil || fields["delay_seconds"]?.key == "initial_delay_seconds"
    }

    private func policy(
        _ fields: Fields, over base: RetryPolicy?, countsRetries: Bool
    ) throws(FieldError) -> RetryPolicy {
        var policy = base ?? (countsRetries ? Self.olderDefaults : RetryPolicy())
        if let attempts = try maxAttempts(fields, countsRetries: countsRetries) { policy.maxAttempts = attempts }
        if let field = fields["delay_seconds"] { policy.delay = try field.duration() }
        if let field = fields["max_delay_seconds"] { policy.maxDelay = try field.duration() }
        if let field = fields["jitter"] { policy.jitter = try field.number(0...1) }
        if let field = fields["backoff"] { policy.backoff = try backoff(field) }
        if let field = fields["backoff_multiplier"] {
            let multiplier = try field.number(0...Bounds.multiplierMax)
            // `linear` named beside it has no use for one.
            let isLinear = fields["backoff"] != nil && policy.backoff == .linear
            if !isLinear { policy.backoff = .exponential(multiplier: multiplier) }
        }
        if let field = fields["retry_on"] {
            policy.on = try matches(field)
            // Nothing is worth another attempt; in the policy itself an empty list means anything.
            if policy.on.isEmpty { policy.maxAttempts = 1 }
        }
        return policy
    }

    private static let olderDefaults: RetryPolicy = {
        var policy = RetryPolicy()
        policy.maxAttempts = 3
        policy.delay = .seconds(30)
        policy.maxDelay = .seconds(300)
        return policy
    }()

    // MARK: - Parts

    /// Every attempt, the first one too.
    private func maxAttempts(_ fields: Fields, countsRetries: Bool) throws(FieldError) -> Int? {
        if let field = fields["max_retry_attempts"] {
            if let other = fields["max_attempts"] {
                throw other.refusal("says the same as max_retry_attempts in another way; give one of them")
            }
            return try field.integer(0...Bounds.countMax) + 1
        }
        guard let field = fields["max_attempts"] else { return nil }
        return countsRetries ? try field.integer(0...Bounds.countMax) + 1 : try field.integer(1...Bounds.countMax)
    }

    private func backoff(_ field: Field) throws(FieldError) -> RetryPolicy.Backoff {
        switch field.value.stringValue {
        case "exponential": return .exponential(multiplier: 2)
        case "linear": return .linear
        default: throw field.refusal(expected: "one of exponential, linear")
        }
    }

    private func matches(_ field: Field) throws(FieldError) -> [FailureMatch] {
        var matches: [FailureMatch] = []
        for element in try field.elements(of: "failure types") { matches.append(try match(element)) }
        return matches
    }

    private func match(_ field: Field) throws(FieldError) -> FailureMatch {
        let types = failureTypes + ["interrupted", "unknown"]
        let text = try field.string(expected: "a failure type")
        if text == "any" { return .any }
        if text.hasPrefix("exit:") { return try exitMatch(field, text.dropFirst(5)) }
        if text.hasPrefix("signal:") { return try signalMatch(field, text.dropFirst(7)) }
        if types.contains(text) { return .type(text) }
        let nearest = NearestName.nearest(to: text, among: types + ["any"]) ?? "any"
        throw field.refusal(
            expected: "any, exit:CODE, exit:FROM-TO, signal:NAME or a failure type; did you mean \"\(nearest)\"?")
    }

    private func exitMatch(_ field: Field, _ text: Substring) throws(FieldError) -> FailureMatch {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int32($0) }
        if ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil, first <= last, first >= 0,
            last <= 255
        {
            return .exit(first, last)
        }
        throw field.refusal(expected: "exit:CODE or exit:FROM-TO, codes from 0 to 255")
    }

    private func signalMatch(_ field: Field, _ text: Substring) throws(FieldError) -> FailureMatch {
        if let number = Int32(text), (1...64).contains(number) { return .signal(number) }
        let name = text.hasPrefix("SIG") ? String(text.dropFirst(3)) : String(text)
        if let number = Self.signals[name] { return .signal(number) }
        throw field.refusal(expected: "signal:NAME such as signal:SIGKILL, or signal:NUMBER from 1 to 64")
    }

    private static let signals: [String: Int32] = [
        "HUP": SIGHUP, "INT": SIGINT, "QUIT": SIGQUIT, "ILL": SIGILL, "TRAP": SIGTRAP, "ABRT": SIGABRT, "BUS": SIGBUS,
        "FPE": SIGFPE, "KILL": SIGKILL, "USR1": SIGUSR1, "SEGV": SIGSEGV, "USR2": SIGUSR2, "PIPE": SIGPIPE,
        "ALRM": SIGALRM, "TERM": SIGTERM, "STKFLT": 16, "CHLD": SIGCHLD, "CONT": SIGCONT, "STOP": SIGSTOP,
        "TSTP": SIGTSTP, "TTIN": SIGTTIN, "TTOU": SIGTTOU, "URG": SIGURG, "XCPU": SIGXCPU, "XFSZ": SIGXFSZ,
        "VTALRM": SIGVTALRM, "PROF": SIGPROF, "WINCH": SIGWINCH, "IO": SIGIO, "PWR": SIGPWR, "SYS": SIGSYS,
    ]
}
