/// Names within the state folder: `control-interface`, "Files".
enum StatePaths {
    static let storeName = "botcron.db"
    /// The folder of the folders of attempts.
    static let runsName = "runs"
}
