import Glibc
import Processes

/// Secrets as files in a folder for this run alone, there as long as it runs.
enum Credentials {
    /// - Parameter environment: of the run, to find the secret service by.
    static func write(
        _ credentials: [String: SupervisorRequest.Credential], to folder: String, environment: [String: String]
    ) throws(ProcessError) {
        // One that an earlier supervisor of this attempt left, before it began.
        Folder(folder).remove()
        let made = mkdir(folder, 0o700)
        var code = errno
        guard made == 0 else { throw .resource("make", object: "the credentials folder “\(folder)”", code: code) }
        for (name, credential) in credentials {
            let value =
                switch credential {
                case .contents(let bytes): bytes
                case .secret(let attributes): try SecretLookup.read(attributes, environment: environment)
                }
            let path = "\(folder)/\(name)"
            let number = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o400)
            code = errno
            guard number >= 0 else { throw .resource("make", object: "the credential “\(name)”", code: code) }
            if let code = FileDescriptor(owning: number).write(value) {
                throw .resource("write", object: "the credential “\(name)”", code: code)
            }
        }
    }

    /// Removes the folder with all that the process may have put there.
    static func remove(_ folder: String) { Folder(folder).remove() }
}
