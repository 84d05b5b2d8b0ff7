import Glibc
import TestSupport
import Testing

/// Runs the simulator: an executable of its own, built in release, because a simulated year is a lot of work.
///
/// `BOTCRON_SIMULATOR` names it (`make test` builds it first); without the variable it is looked for beside the tests,
/// in the release folder of the same build. `BOTCRON_LONG_TESTS=1` makes it ten thousand simulated years.
@Suite struct SimulationTests {
    @Test(.enabled(if: simulatorPath != nil, "no simulator: swift build -c release --product simulator"))
    func `no policy is broken in random worlds`() throws {
        let path = try #require(simulatorPath)
        let isLong = variable("BOTCRON_LONG_TESTS") == "1"
        // 10,000 years, or a thousand months.
        let seeds = isLong ? 121_750 : 1_000
        // A long test draws new worlds each time, and prints the seed of one that fails. Each core has its part.
        let first = isLong ? Int(time(nil)) : 1
        let parts = isLong ? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) : 1
        let bounds = (0...parts).map { first + seeds * $0 / parts }
        // They run side by side, and a long test takes what it takes.
        let programs = try zip(bounds, bounds.dropFirst()).map { from, to in
            try TestProgram([path, "\(to - from)", "30", "\(from)"], environment: nil, errors: .withOutput)
        }
        for (index, program) in programs.enumerated() {
            let done = try program.finish(seconds: nil)
            let output = done.output.split(separator: "\n").suffix(400).joined(separator: "\n")
            #expect(done.code == 0, "\(output)")
            #expect(output.contains("\(bounds[index + 1] - bounds[index]) seeds of 30 days"), "\(output)")
            print(output)
        }
    }
}

private func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

/// Where the simulator is; nil where it was not built.
private let simulatorPath: String? = {
    if let path = variable("BOTCRON_SIMULATOR"), !path.isEmpty { return path }
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    guard readlink("/proc/self/exe", &buffer, buffer.count - 1) > 0 else { return nil }
    let own = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    // The test runner lies in the toolchain or in .build/…; what was loaded from .build tells the folder.
    for path in CommandLine.arguments + [own] {
        guard let range = path.firstRange(of: "/.build/") else { continue }
        let candidate = path[..<range.upperBound] + "release/simulator"
        if access(String(candidate), X_OK) == 0 { return String(candidate) }
    }
    return access(".build/release/simulator", X_OK) == 0 ? ".build/release/simulator" : nil
}()
