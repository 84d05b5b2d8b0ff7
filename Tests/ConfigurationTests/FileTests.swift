import Glibc
import JSON
import Testing

@testable import Configuration

@Suite struct ConfigurationFileTests {
    @Test(arguments: [
        (["HOME": "/home/ada"], "/home/ada/.config/aa-workflow/config.json"),
        (["HOME": "/home/ada", "XDG_CONFIG_HOME": "/conf"], "/conf/aa-workflow/config.json"),
        // Relative: to be ignored.
        (["HOME": "/home/ada", "XDG_CONFIG_HOME": "conf"], "/home/ada/.config/aa-workflow/config.json"),
        (["HOME": "/home/ada", "XDG_CONFIG_HOME": ""], "/home/ada/.config/aa-workflow/config.json"),
        (["HOME": "/"], "/.config/aa-workflow/config.json"),
    ])
    func theDefaultPlaceFollowsXDG(environment: [String: String], expected: String) {
        #expect(ConfigurationFile.defaultPath(environment: environment) == expected)
    }

    @Test func theStateHasItsOwnPlace() {
        #expect(
            ConfigurationFile.defaultStateDirectory(environment: ["HOME": "/home/ada"])
                == "/home/ada/.local/state/aa-workflow")
        #expect(
            ConfigurationFile.defaultStateDirectory(environment: ["XDG_STATE_HOME": "/s", "HOME": "/home/ada"])
                == "/s/aa-workflow")
        // Without HOME the user database knows.
        #expect(ConfigurationFile.defaultPath(environment: [:]).hasPrefix("/"))
    }

    @Test func whatIsThereIsTold() throws {
        try withScratchFolder { folder in
            #expect(try ConfigurationFile.load(path: folder + "/none") == .absent)
            #expect(try ConfigurationFile.load(path: folder + "/none/deeper") == .absent)
            try FileReplacement.replace(folder + "/config.json", with: Array("{}".utf8))
            #expect(try ConfigurationFile.load(path: folder + "/config.json") == .bytes(Array("{}".utf8)))
            try FileReplacement.replace(folder + "/empty", with: [])
            #expect(try ConfigurationFile.load(path: folder + "/empty") == .bytes([]))

            let error = #expect(throws: ConfigurationError.self) { try ConfigurationFile.load(path: folder) }
            #expect(error?.description == "cannot read \(folder): it is no regular file")
            // Nobody writes to it: reading must not wait.
            #expect(mkfifo(folder + "/fifo", 0o600) == 0)
            #expect(throws: ConfigurationError.self) { try ConfigurationFile.load(path: folder + "/fifo") }
            #expect(symlink("loop", folder + "/loop") == 0)
            let loop = #expect(throws: ConfigurationError.self) { try ConfigurationFile.load(path: folder + "/loop") }
            #expect(loop?.errnoCode == ELOOP)
            #expect(
                loop?.description == "cannot read \(folder)/loop: Too many levels of symbolic links (errno \(ELOOP))")
        }
    }

    @Test func aFileBeyondTheBoundIsNotRead() throws {
        try withScratchFolder { folder in
            let path = folder + "/large"
            try FileReplacement.replace(path, with: [])
            // Sparse: it has the length only.
            #expect(truncate(path, off_t(ConfigurationFile.bytesMax) + 1) == 0)
            let error = #expect(throws: ConfigurationError.self) { try ConfigurationFile.load(path: path) }
            #expect(error?.description == "cannot read \(path): it is larger than 16 MiB, the most that is read")
        }
    }

    @Test func whatIsNoJSONHasAPlace() {
        let error = #expect(throws: ConfigurationError.self) {
            try ConfigurationFile.parse(Array("{\n  \"a\": nope}".utf8), path: "/c/config.json")
        }
        #expect(error?.line == 2)
        #expect(error?.column == 8)
        #expect(error?.description.hasPrefix("cannot parse /c/config.json (line 2, column 8): ") == true)
    }

    @Test(arguments: [
        ("~", "/home/ada"), ("~/", "/home/ada/"), ("~/a b", "/home/ada/a b"), ("~bob/x", "~bob/x"), ("/~", "/~"),
        ("", ""), ("a/~", "a/~"),
    ])
    func theTildeIsTheHomeFolder(path: String, expected: String) {
        #expect(expandHome(path, home: "/home/ada") == expected)
        #expect(expandHome(path, home: "/home/ada/") == expected)
    }

    @Test func theRootCanBeAHome() {
        #expect(expandHome("~/x", home: "/") == "/x")
        #expect(expandHome("~", home: "/") == "/")
    }
}

@Suite struct FileReplacementTests {
    private func contents(_ path: String) throws -> String {
        guard case .bytes(let bytes) = try ConfigurationFile.load(path: path) else { return "absent" }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func mode(_ path: String) -> mode_t {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode : 0
    }

    @Test func aNewFileIsItsOwnersOnly() throws {
        try withScratchFolder { folder in
            try FileReplacement.replace(folder + "/new", with: Array("one".utf8))
            #expect(try contents(folder + "/new") == "one")
            #expect(mode(folder + "/new") & 0o7777 == 0o600)
            try FileReplacement.replace(folder + "/open", with: [], mode: 0o644)
            #expect(mode(folder + "/open") & 0o7777 == 0o644)
            #expect(names(in: folder) == ["new", "open"])
        }
    }

    @Test func anExistingFileKeepsItsMode() throws {
        try withScratchFolder { folder in
            let path = folder + "/config.json"
            try FileReplacement.replace(path, with: Array("one".utf8))
            #expect(chmod(path, 0o640) == 0)
            try FileReplacement.replace(path, with: Array("two".utf8))
            #expect(try contents(path) == "two")
            #expect(mode(path) & 0o7777 == 0o640)
        }
    }

    /// Whoever edits a user's file as root must not take it away from that user.
    @Test func anExistingFileKeepsItsOwner() throws {
        try withScratchFolder { folder in
            let path = folder + "/config.json"
            try FileReplacement.replace(path, with: Array("one".utf8))
            let owner = geteuid() == 0 ? uid_t(65_534) : geteuid()
            #expect(chown(path, owner, gid_t.max) == 0)
            try FileReplacement.replace(path, with: Array("two".utf8))
            var status = stat()
            #expect(stat(path, &status) == 0)
            #expect(status.st_uid == owner)
            #expect(try contents(path) == "two")
        }
    }

    @Test func aLinkStaysALink() throws {
        try withScratchFolder { folder in
            #expect(mkdir(folder + "/real", 0o700) == 0)
            try FileReplacement.replace(folder + "/real/file", with: Array("one".utf8))
            #expect(symlink("real/file", folder + "/relative") == 0)
            #expect(symlink(folder + "/relative", folder + "/absolute") == 0)
            try FileReplacement.replace(folder + "/absolute", with: Array("two".utf8))
            #expect(mode(folder + "/absolute") & S_IFMT == S_IFLNK)
            #expect(mode(folder + "/relative") & S_IFMT == S_IFLNK)
            #expect(try contents(folder + "/real/file") == "two")
            // One that points at nothing yet makes it.
            #expect(symlink("real/later", folder + "/dangling") == 0)
            try FileReplacement.replace(folder + "/dangling", with: Array("three".utf8))
            #expect(try contents(folder + "/real/later") == "three")
            #expect(mode(folder + "/dangling") & S_IFMT == S_IFLNK)
            #expect(names(in: folder + "/real") == ["file", "later"])
        }
    }

    /// A home in which nothing was ever written: the folders come with the file, for their owner alone.
    @Test func foldersThatAreMissingAreMade() throws {
        try withScratchFolder { folder in
            try FileReplacement.replace(folder + "/a/b/file", with: Array("one".utf8))
            #expect(try contents(folder + "/a/b/file") == "one")
            #expect(mode(folder + "/a") & 0o7777 == 0o700 && mode(folder + "/a/b") & 0o7777 == 0o700)
            #expect(names(in: folder + "/a/b") == ["file"])
            try FileReplacement.edit(folder + "/c/file") { contents in
                #expect(contents == .absent)
                return Array("two".utf8)
            }
            #expect(try contents(folder + "/c/file") == "two")
        }
    }

    @Test func aFailureLeavesNothingBehind() throws {
        try withScratchFolder { folder in
            close(open(folder + "/plain", O_CREAT | O_WRONLY | O_CLOEXEC, 0o600))
            let error = #expect(throws: ConfigurationError.self) {
                try FileReplacement.replace(folder + "/plain/file", with: [1])
            }
            #expect(error?.errnoCode == ENOTDIR)
            #expect(error?.description == "cannot write \(folder)/plain/file: Not a directory (errno 20)")
            unlink(folder + "/plain")
            // A folder stands where the file should be: the rename fails.
            #expect(mkdir(folder + "/taken", 0o700) == 0)
            let taken = #expect(throws: ConfigurationError.self) {
                try FileReplacement.replace(folder + "/taken", with: [1])
            }
            #expect(taken?.errnoCode == EISDIR)
            #expect(symlink("loop", folder + "/loop") == 0)
            let loop = #expect(throws: ConfigurationError.self) {
                try FileReplacement.replace(folder + "/loop", with: [1])
            }
            #expect(loop?.errnoCode == ELOOP)
            #expect(names(in: folder) == ["loop", "taken"])
        }
    }

    // MARK: - Edits

    private func edit(_ path: String, adding line: String, _ meanwhile: (Int) throws -> Void = { _ in }) throws {
        var round = 0
        try FileReplacement.edit(path) { contents in
            // Between our look and our step.
            try meanwhile(round)
            round += 1
            guard case .bytes(let bytes) = contents else { return Array(line.utf8) }
            guard !bytes.starts(with: Array("bad".utf8)) else {
                throw ConfigurationError(operation: "parse", object: path, reason: "it is bad")
            }
            return bytes + Array(line.utf8)
        }
    }

    @Test func whatOthersWriteDuringAnEditIsKept() throws {
        try withScratchFolder { folder in
            let path = folder + "/file"
            func others(_ text: String) throws { try FileReplacement.replace(path, with: Array(text.utf8)) }
            // It is made, though somebody else makes it first.
            try edit(path, adding: "1") { round in if round == 0 { try others("a") } }
            #expect(try contents(path) == "a1")
            // It changes once, twice, and goes away.
            try edit(path, adding: "2") { round in if round == 0 { try others("b") } }
            #expect(try contents(path) == "b2")
            try edit(path, adding: "3") { round in if round < 4 { try others("c\(round)") } }
            #expect(try contents(path).hasSuffix("3"))
            #expect(try contents(path).hasPrefix("c"))
            try edit(path, adding: "4") { round in if round == 0 { unlink(path) } }
            #expect(try contents(path) == "4")
            // The other one's is not what it must be: theirs stands.
            #expect(throws: ConfigurationError.self) {
                try edit(path, adding: "5") { round in if round == 0 { try others("bad") } }
            }
            #expect(try contents(path) == "bad")
            // Somebody who never stops.
            try others("x")
            let busy = #expect(throws: ConfigurationError.self) {
                try edit(path, adding: "6") { _ in try others("\(UInt64.random(in: .min ... .max))") }
            }
            #expect(busy?.description.contains("does not stop") == true)
            #expect(names(in: folder) == ["file"])
        }
    }

    @Test func anEditKeepsModeAndLinkAndWritesNothingWhereNothingChanges() throws {
        try withScratchFolder { folder in
            #expect(mkdir(folder + "/real", 0o700) == 0)
            try FileReplacement.replace(folder + "/real/file", with: [65], mode: 0o640)
            #expect(symlink("real/file", folder + "/link") == 0)
            try edit(folder + "/link", adding: "B")
            #expect(try contents(folder + "/real/file") == "AB")
            #expect(mode(folder + "/link") & S_IFMT == S_IFLNK)
            #expect(mode(folder + "/real/file") & 0o777 == 0o640)
            var before = stat()
            var after = stat()
            #expect(stat(folder + "/real/file", &before) == 0)
            try edit(folder + "/link", adding: "")
            #expect(stat(folder + "/real/file", &after) == 0)
            #expect(before.st_ino == after.st_ino)
            #expect(names(in: folder + "/real") == ["file"])
        }
    }

    @Test func aNameCanBeAsLongAsNamesGet() throws {
        try withScratchFolder { folder in
            let path = folder + "/" + String(repeating: "n", count: 255)
            try FileReplacement.replace(path, with: Array("one".utf8))
            try FileReplacement.replace(path, with: Array("two".utf8))
            #expect(try contents(path) == "two")
        }
    }
}

@Suite struct StateFileTests {
    private func state(_ text: String) throws -> StateFile {
        try StateFile(document: JSONDocument(bytes: Array(text.utf8)))
    }

    private func text(_ state: StateFile) -> String { String(decoding: state.bytes, as: UTF8.self) }

    @Test func overridesAreRead() throws {
        let state = try state(
            """
            {"version": 1, "services": {"scheduler": {"enabled": false}, "other": 5},
             "jobs": {"a": {"enabled": true, "note": 1}, "b": {"enabled": false}, "c": {}, "d": null,
                      "e": {"enabled": null}}}
            """)
        #expect(state.isSchedulerEnabled == false)
        #expect(state.isJobEnabled == ["a": true, "b": false])
    }

    @Test(arguments: ["{}", #"{"services": {}, "jobs": {}}"#, "null", #"{"services": null, "jobs": null, "x": []}"#])
    func nothingSaidIsNoOverride(text: String) throws {
        let state = try state(text)
        #expect(state.isSchedulerEnabled == nil)
        #expect(state.isJobEnabled == [:])
    }

    @Test(arguments: [
        ("[]", "cannot read state.json (line 1, column 1): the root is an array; expected an object"),
        (#"{"jobs": 1}"#, "cannot read state.json (line 1, column 10): jobs is a number; expected an object"),
        (
            "{\n\"services\": {\"scheduler\": 1}}",
            "cannot read state.json (line 2, column 27): services.scheduler is a number; expected an object"
        ),
    ])
    func whatIsWrongHasAPlace(text: String, expected: String) {
        let error = #expect(throws: ConfigurationError.self) { try state(text) }
        #expect(error?.description == expected)
    }

    @Test func aBadEntryIsAWarning() throws {
        var state = try state(
            """
            {"services": {"scheduler": {"enabled": 1}},
             "jobs": {"a": {"enabled": "no"}, "b": 5, "c": {"enabled": false}}}
            """)
        #expect(
            state.warnings == [
                "cannot read state.json (line 1, column 40): services.scheduler.enabled is a number; expected a "
                    + "boolean",
                "cannot read state.json (line 2, column 28): jobs.a.enabled is a string; expected a boolean",
                "cannot read state.json (line 2, column 40): jobs.b is a number; expected an object",
            ])
        #expect(state.isSchedulerEnabled == nil)
        #expect(state.isJobEnabled == ["c": false])
        try state.setJob("a", enabled: true)
        try state.setJob("b", enabled: true)
        try state.setScheduler(enabled: true)
        #expect(state.isJobEnabled == ["a": true, "b": true, "c": false])
        #expect(state.isSchedulerEnabled == true)
    }

    @Test func aToggleChangesOneWord() throws {
        let before = """
            {
                "version" : 1,  "own": [1.50,
               2],
              "services": {"scheduler": {"enabled": false, "since": 1e3}},
              "jobs": {
                "a": { "enabled": true, "note": "ä" }
              }
            }

            """
        var file = try state(before)
        try file.setScheduler(enabled: true)
        #expect(text(file) == before.replacing("\"enabled\": false", with: "\"enabled\": true"))
        try file.setScheduler(enabled: false)
        #expect(text(file) == before)
        try file.setJob("a", enabled: false)
        #expect(text(file) == before.replacing("{ \"enabled\": true", with: "{ \"enabled\": false"))
        try file.setJob("b.c", enabled: true)
        #expect(try state(text(file)).isJobEnabled == ["a": false, "b.c": true])
        #expect(text(file).contains("\"note\": \"ä\""))
    }

    @Test(arguments: ["{}", "null", #"{"jobs": null, "services": {"scheduler": null}}"#])
    func whatIsMissingIsMade(before: String) throws {
        var file = try state(before)
        try file.setJob("a", enabled: false)
        try file.setScheduler(enabled: true)
        let after = try state(text(file))
        #expect(after.isJobEnabled == ["a": false])
        #expect(after.isSchedulerEnabled == true)
    }

    @Test func aFileThatIsNotThereIsMade() throws {
        var file = StateFile()
        #expect(file.isSchedulerEnabled == nil)
        try file.setJob("a", enabled: false)
        #expect(try JSONValue(parsing: file.bytes)["version"] == 1)
        #expect(try state(text(file)).isJobEnabled == ["a": false])
    }
}
