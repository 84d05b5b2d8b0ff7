import JSON
import Scheduling
import Testing

@testable import Configuration

/// A definition that must be refused, and the whole text of its error.
struct Refused: Sendable, CustomTestStringConvertible {
    let members: String
    let error: String

    init(_ members: String, _ error: String) {
        self.members = members
        self.error = error
    }

    var testDescription: String { members }
}

@Suite struct JobRefusalTests {
    private static let notFromEnd =
        #"interval_from: "end" counts an interval from the end of the last run: it needs an interval, and no other "#
        + "schedule beside it"
    private static let neverFinished =
        "delete_after: removes a job that is finished, and this one never is: it needs once, or end_at or "
        + "max_executions beside its schedule"
    private static let nothingToLose =
        #"conditions_lost: "stop" needs a condition that can end while a run goes on: ac_power, battery_min, network, "#
        + "idle or path_exists"

    static let keys: [Refused] = [
        .init(#""crn": "* * * * *""#, #"crn: unknown key; did you mean "cron"?"#),
        .init(#""Timeout": 3"#, #"Timeout: unknown key; did you mean "timeout"?"#),
        .init(#""overlap-policy": "skip""#, #"overlap-policy: unknown key; did you mean "overlap_policy"?"#),
        .init(#""retry": {"max_atempts": 2}"#, #"retry.max_atempts: unknown key; did you mean "max_attempts"?"#),
        .init(#""conditions": {"battery": 5}"#, #"conditions.battery: unknown key; did you mean "battery_min"?"#),
        .init(#""dst": {"gaps": "skip"}"#, #"dst.gaps: unknown key; did you mean "gap"?"#),
        .init(#""enabled": true, "enabled": false"#, "enabled: given twice, with different values; give it once"),
        .init(
            #""timeout": 3, "timeout_seconds": 4"#,
            "timeout_seconds: means the same as timeout, which has another value; give one of them"),
        .init(
            #""id": "other""#, "id: means the same as name, which has another value; give one of them"),
    ]

    static let types: [Refused] = [
        .init(#""enabled": "yes""#, #"enabled: found the string "yes"; expected true or false"#),
        .init(#""enabled": 1"#, "enabled: found the number 1; expected true or false"),
        .init(#""paused": "no""#, #"paused: found the string "no"; expected true or false"#),
        .init(
            #""enabled": true, "paused": true"#, "paused: contradicts enabled; give one of them"),
        .init(#""status": "off""#, #"status: found the string "off"; expected one of enabled, disabled"#),
        .init(#""title": 5"#, "title: found the number 5; expected a string"),
        .init(
            #""expect_by": "8:00""#, #"expect_by: found the string "8:00"; expected a time of day, such as "08:00""#),
        .init(#""expect_by": 8"#, #"expect_by: found the number 8; expected a time of day, such as "08:00""#),
        .init(
            #""expect_by": "24:00""#, #"expect_by: found the string "24:00"; expected a time of day, such as "08:00""#),
        .init(
            #""expect_within": -1"#,
            "expect_within: found the number -1; expected a duration: a number of seconds, or text such as \"90s\", "
                + "\"30m\" or \"1h30m\", up to 100 years"),
        .init(
            #""interval": "1h", "interval_from": "start""#,
            #"interval_from: found the string "start"; expected one of grid, end"#),
        .init(#""interval_from": "end""#, notFromEnd),
        .init(#""cron": "@daily", "interval_from": "end""#, notFromEnd),
        .init(#""schedules": [{"interval": "1h"}, {"interval": "2h"}], "interval_from": "end""#, notFromEnd),
        .init(#""schedules": [{"interval": "1h"}, {"after": {"job": "b"}}], "interval_from": "end""#, notFromEnd),
        .init(#""after": {"jobs": []}"#, "after.jobs: found an empty array; expected 1 to 100 names of jobs"),
        .init(#""after": {"jobs": "a"}"#, #"after.jobs: found the string "a"; expected an array of names of jobs"#),
        .init(#""after": {"jobs": ["a", "b", "a"]}"#, #"after.jobs[2]: "a" stands there already"#),
        .init(#""after": {"job": "a", "jobs": ["b"]}"#, #"after.job: stands beside "jobs"; give one of them"#),
        .init(#""delete_after": "7d""#, neverFinished),
        .init(#""cron": "@daily", "delete_after": "7d""#, neverFinished),
        .init(#""after": {"job": "b"}, "max_executions": 3, "delete_after": "7d""#, neverFinished),
        .init(
            #""schedules": [{"once": "2190-01-01T00:00"}, {"after": {"job": "b"}}], "delete_after": 0"#, neverFinished),
        .init(#""conditions_lost": "stop""#, nothingToLose),
        .init(#""conditions": {"load_max": 2, "command": "ask"}, "conditions_lost": "stop""#, nothingToLose),
        .init(
            #""conditions_lost": "kill""#, #"conditions_lost: found the string "kill"; expected one of continue, stop"#),
        .init(
            #""description": "a\u0000b""#,
            "description: found a NUL character; no argument, path or name of the system can hold one"),
        .init(#""tags": "a""#, #"tags: found the string "a"; expected an array of strings"#),
        .init(#""tags": ["a", 2]"#, "tags[1]: found the number 2; expected a string"),
        .init(#""metadata": []"#, "metadata: found an empty array; expected an object"),
        .init(
            #""version": 1.5"#,
            "version: found the number 1.5; expected a whole number from 0 to 9223372036854775807"),
        .init(
            #""working_directory": "src""#,
            #"working_directory: found the string "src"; expected an absolute path, or one that begins with ~/"#),
        .init(
            #""project": "~bob/src""#,
            #"project: found the string "~bob/src"; expected an absolute path, or one that begins with ~/"#),
        .init(#""environment": {"A": null}"#, "environment.A: found null; expected a string"),
        .init(
            #""environment": {"A=B": "x"}"#,
            #"environment["A=B"]: no name of a variable; it is not empty and holds neither "=" nor NUL"#),
        .init(
            #""credentials": {"../x": "/f"}"#,
            #"credentials["../x"]: no name of a credential; it consists of letters, digits, _ - . :"#),
        .init(
            #""timeout": -1"#,
            #"timeout: found the number -1; expected a duration: a number of seconds, or text such as "90s", "30m" "#
                + #"or "1h30m", up to 100 years"#
        ),
        .init(
            #""timeout": true"#,
            #"timeout: found true; expected a duration: a number of seconds, or text such as "90s", "30m" or "1h30m""#),
        .init(#""priority": 20"#, "priority: found the number 20; expected a whole number from -20 to 19"),
        .init(
            #""max_instances": 0"#, "max_instances: found the number 0; expected a whole number from 1 to 1000000000"),
        .init(
            #""success_exit_codes": [256]"#,
            "success_exit_codes[0]: found the number 256; expected a whole number from 0 to 255"),
        .init(
            #""output_limit": 2000000000"#,
            "output_limit: found the number 2000000000; expected a whole number from 0 to 1073741824"),
        .init(
            #""resources": {"memory_max": "much"}"#,
            #"resources.memory_max: found the string "much"; expected a number of bytes, or text such as "512M", "#
                + #""2G" or "10%""#
        ),
        .init(
            #""resources": {"io_class": "slow"}"#,
            #"resources.io_class: found the string "slow"; expected one of realtime, best-effort, idle"#),
        .init(
            #""overlap_policy": "parallel""#,
            #"overlap_policy: found the string "parallel"; expected one of skip, queue, queue_one, allow, replace"#),
        .init(
            #""catchup_policy": 1"#,
            "catchup_policy: found the number 1; expected one of none, latest, all, spread"),
        .init(
            #""conditions": {"battery_min": 101}"#,
            "conditions.battery_min: found the number 101; expected a number from 0 to 100"),
        .init(
            #""notify": "slack""#,
            #"notify: found the string "slack"; expected an array of targets, or objects {"target", "on"}"#),
        .init(
            #""notify": ["pigeon"]"#,
            #"notify[0]: found the string "pigeon"; expected one of desktop, slack, email, memory, webhook, "#
                + #"command, toast"#
        ),
        .init(
            #""notify": [{"target": "slack", "on": ["end"]}]"#,
            #"notify[0].on[0]: found the string "end"; expected one of asked, paused, recovered, "#
                + #"first_failure, failure, late, changed, success, stalled, missed, retry, start"#
        ),
        .init(
            #""notify": ["desktop"], "quiet_hours": "22:00""#,
            #"quiet_hours: found the string "22:00"; expected two times of day, such as "22:00-07:00""#),
        .init(
            #""quiet_hours": "22:00-24:00""#,
            #"quiet_hours: found the string "22:00-24:00"; expected two times of day, such as "22:00-07:00""#),
        .init(#""notify": [{"on": ["start"]}]"#, "notify[0].target: missing; it says where the message goes"),
        .init(
            #""on_success": ["no spaces"]"#,
            #"on_success[0]: found the string "no spaces"; expected a name of 1 to 128 letters, digits, _ - . :"#),
        .init(
            #""heartbeat": "ftp://x""#,
            #"heartbeat: found the string "ftp://x"; expected a URL that begins with https:// or http://"#),
        .init(#""budget": 5"#, "budget: found the number 5; expected an object"),
    ]

    static let actions: [Refused] = [
        .init(#""skill": "s""#, "command: skill, command are given; a job runs exactly one of them"),
        .init(#""workflow_id": "w""#, "workflow_id: command, workflow_id are given; a job runs exactly one of them"),
        .init(#""args": ["x"]"#, #"args: needs "script"; the arguments of a command stand in "command" itself"#),
        .init(
            #""execution_mode": "claude_cli""#,
            #"execution_mode: found the string "claude_cli"; expected "command" for command"#),
        .init(#""inputs": [1]"#, "inputs: found an array; expected an object: name → value"),
    ]

    @Test(arguments: keys + types + actions)
    func aWrongValueIsNamed(row: Refused) throws {
        let error = try refusal(#""name": "j", "command": ["true"], "# + row.members)
        #expect(error == row.error)
    }

    static let whole: [Refused] = [
        .init(
            #""name": "a b", "command": "true""#,
            #"name: found the string "a b"; expected a name of 1 to 128 letters, digits, _ - . :; text for people "#
                + #"goes to "title""#
        ),
        .init(
            #""name": "", "command": "true""#,
            #"name: found the string ""; expected a name of 1 to 128 letters, digits, _ - . :; text for people goes "#
                + #"to "title""#
        ),
        .init(
            #""id": 7, "command": "true""#,
            #"id: found the number 7; expected a name of 1 to 128 letters, digits, _ - . :; text for people goes to "#
                + #""title""#
        ),
        .init(
            #""name": "j""#,
            "nothing to run; a job has exactly one of skill, message, script, command or agentool_name"),
        .init(
            #""execution_mode": "claude_cli""#,
            "nothing to run; a job has exactly one of skill, message, script, command or agentool_name"),
        .init(
            #""command": []"#, "command: found an empty array; expected a program and its arguments"),
        .init(#""command": [""]"#, "command: found an array; expected a program and its arguments"),
        .init(
            #""command": 5"#,
            "command: found the number 5; expected an array (a program and its arguments), or a string for /bin/sh"),
        .init(#""command": """#, #"command: found the string ""; expected a string that is not empty"#),
        .init(#""skill": """#, #"skill: found the string ""; expected the name of a skill that is not empty"#),
        .init(
            #""skill": "s", "execution_mode": "python_script""#,
            #"execution_mode: found the string "python_script"; expected "claude_cli", "claude_prompt", "#
                + #""skill_direct" or a runner of your own for skill"#
        ),
        .init(
            #""skill": "s", "execution_mode": "direct""#,
            #"execution_mode: no runner "skill_direct" is set up; give its argv in "#
                + #"schedules.runners.skill_direct.command"#
        ),
        .init(
            #""function_name": "f""#,
            #"function_name: no runner "tool" is set up; give its argv in schedules.runners.tool.command"#),
        .init(
            #""skill": "s", "execution_mode": "claud""#,
            #"execution_mode: no runner "claud"; known are claude_cli, claude_prompt, message, python_script; did "#
                + #"you mean "claude_cli"?"#
        ),
    ]

    @Test(arguments: whole)
    func aWrongDefinitionIsNamed(row: Refused) throws {
        let error = try refusal(row.members)
        #expect(error == row.error)
    }

    @Test func onlyAnObjectIsADefinition() throws {
        for (value, found) in [(JSONValue.null, "null"), ("job", "the string \"job\""), ([1], "an array")] {
            let error = #expect(throws: JobError.self) {
                try reader().readJob(value, origin: .bus, in: configuration())
            }
            #expect(error?.description == "found \(found); expected an object: one job")
        }
    }

    @Test func aNameIsAtMost128Long() throws {
        let longest = String(repeating: "n", count: 128)
        #expect(try job("\"name\": \"\(longest)\", \"command\": \"true\"").name == longest)
        #expect(try refusal("\"name\": \"\(longest)n\", \"command\": \"true\"").hasPrefix("name: found the string"))
        #expect(try refusal(#""name": "é", "command": "true""#).hasPrefix("name: found the string"))
    }

    @Test func aLongValueIsCutInTheError() throws {
        let error = try refusal(#""name": "j", "command": "true", "enabled": "\#(String(repeating: "x", count: 500))""#)
        #expect(error.count < 120)
        #expect(error.contains("…"))
    }
}
