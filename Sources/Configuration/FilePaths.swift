/// A path of the configuration with a leading `~` (alone or before `/`) replaced by the home folder.
///
/// `~user` stays as it is: other people's folders are named by their path.
public func expandHome(_ path: String, home: String) -> String {
    guard path == "~" || path.hasPrefix("~/") else { return path }
    var folder = Substring(home)
    while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
    if path == "~" { return String(folder) }
    return (folder == "/" ? "" : String(folder)) + path.dropFirst()
}

extension String {
    /// The folder of a path; of a bare name it is `.`.
    public var folderOfPath: String {
        guard let slash = lastIndex(of: "/") else { return "." }
        return slash == startIndex ? "/" : String(self[..<slash])
    }
}
