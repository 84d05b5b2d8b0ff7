import Glibc

/// Where the package is, and what is built of it.
public enum TestPlace {
    /// The root of the package.
    public static let package: String = folder(#filePath, up: 3)

    /// The path of a program that is built beside the one that runs the tests.
    public static func built(_ name: String) -> String { builtFolder + "/" + name }

    private static let builtFolder: String = {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        return folder(String(decoding: buffer.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self), up: 1)
    }()

    private static func folder(_ path: String, up count: Int) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false).dropLast(count).joined(separator: "/")
    }
}
