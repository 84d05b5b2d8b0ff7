import Glibc

/// Where the package is, and what is built of it.
public enum TestPlace {
    /// The root of the package.
    public static let package: String = folder(#filePath, up: 3)

    /// The path of a program: of the release that `BOTCRON_RELEASE` names the folder of, which is what is installed and
    /// needs a tenth of the processor. Without it, and for all else, as it is built beside the one that runs the tests.
    public static func built(_ name: String) -> String {
        if let release, released.contains(name) { return release + "/" + name }
        return builtFolder + "/" + name
    }

    private static let release = getenv("BOTCRON_RELEASE").map { String(cString: $0) }
    private static let released: Set = ["botcrond", "botcronctl", "botcron-run", "botcron-send"]

    private static let builtFolder: String = {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        return folder(String(decoding: buffer.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self), up: 1)
    }()

    private static func folder(_ path: String, up count: Int) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false).dropLast(count).joined(separator: "/")
    }
}
