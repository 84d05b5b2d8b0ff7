/// Names within the state folder: `control-interface`, "Files".
enum StatePaths {
    static let storeName = "botcron.db"
    /// The folder of the folders of attempts.
    static let runsName = "runs"

    /// In the session's folder in memory: the folder of the secrets of runs.
    static let credentialsName = "botcron-credentials"
}
