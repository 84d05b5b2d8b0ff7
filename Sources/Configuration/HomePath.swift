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
