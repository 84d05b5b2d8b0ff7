#!/bin/sh
# Fuzzes the parsers of Schedules, its TZif reader, JSON and its edits, what comes over the bus, the methods behind it,
# the rows of the store, and what is read back of runs:
# fuzz.sh [SECONDS [TARGET...]]
# Each target runs SECONDS (60). What it finds stays in .build/fuzz/TARGET; a finding fails the script.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
[ $# -gt 0 ] && shift
targets=${*:-cron interval once calendar tzif json message handlers store outcome runfolder}
build=.build/fuzz
mkdir -p "$build"

entry() {
    case $1 in
    cron) echo FuzzCron ;;
    interval) echo FuzzInterval ;;
    once) echo FuzzOnce ;;
    calendar) echo FuzzCalendar ;;
    tzif) echo FuzzTZif ;;
    json) echo FuzzJSON ;;
    message) echo FuzzMessage ;;
    handlers) echo FuzzHandlers ;;
    store) echo FuzzStore ;;
    outcome) echo FuzzOutcome ;;
    runfolder) echo FuzzRunFolder ;;
    *) echo "fuzz.sh: no target $1: cron, interval, once, calendar, tzif, json, message, handlers, store," \
            "outcome, runfolder" >&2; exit 2 ;;
    esac
}

seed() {
    corpus=$build/$1/corpus
    mkdir -p "$corpus"
    if [ "$1" = tzif ]; then
        for zone in America/New_York Australia/Lord_Howe Pacific/Apia UTC Africa/Casablanca Asia/Jerusalem; do
            cp "/usr/share/zoneinfo/$zone" "$corpus/$(echo "$zone" | tr / _)"
        done
    elif [ "$1" = json ]; then
        # What chooses the edit, and the text.
        printf '\000{"a": [1, -2.50e3, "\\u00e9\\n"], "b": {"c": null, "d": true}}' >"$corpus/object"
        printf '\003[\n  {"x": 1},\n  []\n]\n' >"$corpus/array"
        printf '\0055.0' >"$corpus/number"
    elif [ "$1" = message ]; then
        printf 's\0\5\0\0\0hello\0' >"$corpus/string"
        printf 'ss\0\1\0\0\0a\0\0\0\4\0\0\0true\0' >"$corpus/strings"
        printf 'ay\0\3\0\0\0abc' >"$corpus/bytes"
        printf 'v\0\1i\0\0\7\0\0\0' >"$corpus/variant"
        printf 'a{sv}\0\20\0\0\0\0\0\0\0\1\0\0\0a\0\1b\0\0\0\0\1\0\0\0' >"$corpus/dictionary"
        printf '(ias)\0\1\0\0\0\6\0\0\0\1\0\0\0x\0' >"$corpus/structure"
        : >"$corpus/none"
    elif [ "$1" = store ]; then
        # Table, column, value, in how many rows.
        printf '\002\002\004\000' >"$corpus/state"
        printf '\003\004\022\001\003\007\017\001' >"$corpus/words"
    elif [ "$1" = handlers ]; then
        # The number of the method, and its arguments.
        printf '\000{"job": "quick", "inputs": {"n": 1}}' >"$corpus/run_job"
        printf '\000{"job": "quick", "scheduled_for": "2026-01-26T09:00:00Z", "force": true}' >"$corpus/run_job-at"
        printf '\004daily\0\1' >"$corpus/toggle_job"
        printf '\007slack\0a.b\0{"c": [1, null]}' >"$corpus/update_config"
        printf '\010{"name": "made", "interval": "90m", "command": ["true"]}' >"$corpus/schedule_job"
        printf '\010{"name": "made", "skill": "s", "cron": "0 9 * * MON", "retry": {"max_attempts": 2}}' >"$corpus/skill"
        printf '\012{"job": "daily", "until": "2099-01-01"}' >"$corpus/pause_job"
        printf '\022{"cron": "30 2 * * *", "timezone": "Europe/Berlin"}\0\0\0\0\0\0\0\0\5' >"$corpus/preview_schedule"
        printf '\024daily\0002026-01-26T09:00:00Z' >"$corpus/explain_job"
        printf '\026{"job": "quick", "status": "failed", "since": "2020-01-01", "limit": 5}' >"$corpus/query_history"
        printf '\027user\0{"a": 1}' >"$corpus/queue_push"
        printf '\040manage_scheduler\0{"operation": "pause", "job_id": "daily"}' >"$corpus/manage_scheduler"
        printf '\040update_config\0["slack", "", {"x": 2}]' >"$corpus/CallMethod"
        printf '\041name\0\0made\0command\0\5\1true\0cron\0\0000 5 * * *\0' >"$corpus/AddJob"
        printf '\042quick\0force\0\1\1' >"$corpus/RunJob"
        printf '\054com.aiworkflow.BotCron.Job1\0Enabled\0\1\1' >"$corpus/Set"
        printf '\056{"status": "failed", "pattern": "d*", "limit": 2}' >"$corpus/query_jobs"
        printf '\064\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\5' >"$corpus/Output"
        printf '\065com.aiworkflow.BotCron.Run1' >"$corpus/GetAll"
        printf '\067org.freedesktop.LogControl1\0LogLevel\0\0debug' >"$corpus/LogLevel"
    elif [ "$1" = outcome ]; then
        printf 'exited 1\n3\nstarted 1\n5\nended 1\n9\nwritten 2\n10\nhead 1\n4\ntail 1\n2\nend 0\n\n' >"$corpus/exited"
        printf 'signal 1\n9\ncore 1\n1\ntimed-out 1\n1\nremark 8\nprogress\nvalue 2\n40\nend 0\n\n' >"$corpus/signal"
        printf 'failure 2\nno\nend 0\n\n' >"$corpus/failure"
        printf 'argument 4\ntrue\nvariable 3\nA=1\nfolder 1\n/\nlimit 1\n4\nend 0\n\n' >"$corpus/request"
        printf 'run 1\nr\nsupervisor-pid 2\n77\nsupervisor-start 1\n5\nsupervisor-boot 1\nb\n' >"$corpus/identity"
    elif [ "$1" = runfolder ]; then
        # The number of the name, the length in two bytes, the content; and again.
        printf '\0\0\030run 3\nrun\nlimit 2\n10\nxx\2\0\005hello\5\0\003abc' >"$corpus/running"
        printf '\1\0\063exited 1\n0\nwritten 1\n5\nhead 1\n3\ntail 1\n2\nend 0\n\n\n\2\0\005hello' >"$corpus/ended"
        printf '\103\0\0\001\0\0\200\0\0\302\0\0' >"$corpus/others"
    else
        sed -n 's/.*"expr": "\([^"]*\)".*/\1/p' Tests/SchedulesTests/Vectors/*.jsonl |
            awk -v folder="$corpus" '{ file = folder "/row" NR; printf "%s", $0 > file; close(file) }'
    fi
}

common="-swift-version 6 -parse-as-library -O -enable-upcoming-feature ExistentialAny
    -enable-upcoming-feature InternalImportsByDefault"

headers="-I Sources/CDBus -I Sources/CSystemd -I Sources/CLinux -I Sources/CSQLite"
for flag in $(pkg-config --cflags-only-I dbus-1); do headers="$headers -Xcc $flag"; done

# rooms NAME...: each a module as it is; those that import come after those that they import. `libraries` is what links
# them. What is newer than everything that it is made of is not compiled again.
rooms() {
    mkdir -p "$build/rooms"
    libraries=
    below=
    for room; do
        library=$build/rooms/lib$room.a
        if [ ! -e "$library" ] || [ -n "$(find "Sources/$room" Sources/C[A-Z]*/*.h $below -newer "$library")" ]; then
            swiftc $common -wmo -sanitize=fuzzer,address -module-name "$room" $headers -I "$build/rooms" -emit-library \
                -static -o "$library" -emit-module -emit-module-path "$build/rooms/$room.swiftmodule" \
                $(find "Sources/$room" -name '*.swift') || { rm -f "$library"; return 1; }
        fi
        libraries="-l$room $libraries"
        below="$below $library"
    done
}

# program OUTPUT ARGUMENT...: sources and libraries to a target, with the rooms that were compiled for it. What these
# need of Swift's Glibc is not linked of itself, as it is for sources.
program() {
    output=$1
    shift
    swiftc $common -wmo -sanitize=fuzzer,address $headers -I "$build/rooms" "$@" -L "$build/rooms" $libraries -lswiftGlibc -o "$output"
}

# FuzzMessage sees what is internal to DBus, so it is one module with it; all others import their rooms.
compile() {
    source=Tests/Fuzz/$(entry "$1").swift
    case $1 in
    json)
        rooms JSON || return
        program "$2" -module-name FuzzJSON "$source"
        ;;
    message)
        rooms EventLoop || return
        program "$2" -module-name DBus Sources/DBus/*.swift "$source" -lsystemd -ldbus-1
        ;;
    store)
        rooms JSON Schedules Scheduling Store SQLiteStore || return
        program "$2" -module-name FuzzStore "$source" Tests/SQLiteStoreTests/Support/HostileRows.swift -lsqlite3
        ;;
    outcome)
        rooms Processes || return
        program "$2" -module-name FuzzOutcome "$source"
        ;;
    runfolder)
        rooms EventLoop Processes Execution || return
        program "$2" -module-name FuzzRunFolder "$source" -lsystemd
        ;;
    handlers)
        rooms JSON Schedules Scheduling EventLoop DBus Contract Client Store SQLiteStore Configuration Processes \
            Execution Desktop Performing Machine Settings Control Daemon || return
        program "$2" -module-name FuzzHandlers "$source" -lsystemd -ldbus-1 -lsqlite3
        ;;
    *)
        rooms Schedules || return
        program "$2" -module-name FuzzSchedules Tests/Fuzz/FuzzChecks.swift "$source"
        ;;
    esac
}

# What a target writes while it runs.
TMPDIR=$(mktemp -d -p /dev/shm botcron-fuzz.XXXXXX)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

failed=0
for target in $targets; do
    entry "$target" >/dev/null
    program=$build/fuzz-$target
    # The linker complains by the hundred of symbols of the sanitizer that it cannot export.
    compile "$target" "$program" 2>"$build/$target.log" || { cat "$build/$target.log" >&2; exit 1; }
    [ -d "$build/$target/corpus" ] || seed "$target"
    length=400
    [ "$target" = tzif ] && length=6000
    [ "$target" = message ] && length=2000
    [ "$target" = runfolder ] && length=2000
    silence=0
    # The daemon's log; a finding that is given to the program by hand says why it is one.
    [ "$target" = handlers ] && silence=2
    echo "fuzz $target: $seconds s"
    SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0 "$program" -max_total_time="$seconds" -max_len="$length" \
        -close_fd_mask="$silence" \
        -timeout=5 -print_final_stats=1 -verbosity=0 -artifact_prefix="$build/$target/" "$build/$target/corpus" || failed=1
done
exit $failed
