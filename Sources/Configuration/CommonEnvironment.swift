/// What the section says of the environment of every job: variables, and folders where programs are looked for first.
public struct CommonEnvironment: Sendable, Equatable {
    /// Home folders are filled in.
    public var variables: [String: String] = [:]
    /// As above; put before what the session has as `PATH`.
    public var path: [String] = []

    public init() {}

    /// Lays this over the environment of the session.
    ///
    /// - Parameter personal: the folder of the user's own programs, where there is one. A user manager seldom has it in
    ///   its `PATH`, and agents are installed there; it comes last, so that nothing of the system is hidden.
    public func lay(over session: inout [String: String], personal: String?) {
        session.merge(variables) { $1 }
        let known = session["PATH"] ?? Self.standardPath
        var folders = path + known.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        if let personal, !folders.contains(personal) { folders.append(personal) }
        session["PATH"] = folders.joined(separator: ":")
    }

    /// Where a session says nothing.
    private static let standardPath = "/usr/local/bin:/usr/bin:/bin"

    /// A text with the home folder in place of `~`, `$HOME` and `${HOME}`, wherever one of the parts between colons
    /// begins with it.
    static func filled(_ text: String, home: String) -> String {
        text.split(separator: ":", omittingEmptySubsequences: false).map { part in
            for name in ["~", "$HOME", "${HOME}"] where part == name || part.hasPrefix(name + "/") {
                return expandHome("~" + part.dropFirst(name.count), home: home)
            }
            return String(part)
        }.joined(separator: ":")
    }
}
