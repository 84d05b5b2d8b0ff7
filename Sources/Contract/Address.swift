/// Where the daemon is on the session bus, and the interfaces that it has there. What each takes and gives: the
/// introspection files below `dbus`.
public enum Address {
    /// Its well-known name.
    public static let busName = "com.aiworkflow.BotCron"
    /// Its object; jobs and runs are below it.
    public static let objectPath = "/com/aiworkflow/BotCron"
    /// The JSON face.
    public static let interface = "com.aiworkflow.BotCron"
    /// The typed face: the daemon, a job, a run that has not ended.
    public static let managerInterface = "com.aiworkflow.BotCron.Manager1"
    public static let jobInterface = "com.aiworkflow.BotCron.Job1"
    public static let runInterface = "com.aiworkflow.BotCron.Run1"
}
