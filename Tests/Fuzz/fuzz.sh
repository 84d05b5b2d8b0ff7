#!/bin/sh
# Fuzzes the parsers of Schedules, its TZif reader, what comes over the bus, and the handlers behind it:
# fuzz.sh [SECONDS [TARGET...]]
# Each target runs SECONDS (60). What it finds stays in .build/fuzz/TARGET; a finding fails the script.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
[ $# -gt 0 ] && shift
targets=${*:-cron interval once calendar tzif message handlers}
build=.build/fuzz
mkdir -p "$build"

entry() {
    case $1 in
    cron) echo FuzzCron ;;
    interval) echo FuzzInterval ;;
    once) echo FuzzOnce ;;
    calendar) echo FuzzCalendar ;;
    tzif) echo FuzzTZif ;;
    message) echo FuzzMessage ;;
    handlers) echo FuzzHandlers ;;
    *) echo "fuzz.sh: no target $1: cron, interval, once, calendar, tzif, message, handlers" >&2; exit 2 ;;
    esac
}

seed() {
    corpus=$build/$1/corpus
    mkdir -p "$corpus"
    if [ "$1" = tzif ]; then
        for zone in America/New_York Australia/Lord_Howe Pacific/Apia UTC Africa/Casablanca Asia/Jerusalem; do
            cp "/usr/share/zoneinfo/$zone" "$corpus/$(echo "$zone" | tr / _)"
        done
    elif [ "$1" = message ]; then
        printf 's\0\5\0\0\0hello\0' >"$corpus/string"
        printf 'ss\0\1\0\0\0a\0\0\0\4\0\0\0true\0' >"$corpus/strings"
        printf 'ay\0\3\0\0\0abc' >"$corpus/bytes"
        printf 'v\0\1i\0\0\7\0\0\0' >"$corpus/variant"
        printf 'a{sv}\0\20\0\0\0\0\0\0\0\1\0\0\0a\0\1b\0\0\0\0\1\0\0\0' >"$corpus/dictionary"
        printf '(ias)\0\1\0\0\0\6\0\0\0\1\0\0\0x\0' >"$corpus/structure"
        : >"$corpus/none"
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
    else
        sed -n 's/.*"expr": "\([^"]*\)".*/\1/p' Tests/SchedulesTests/Vectors/*.jsonl |
            awk -v folder="$corpus" '{ file = folder "/row" NR; printf "%s", $0 > file; close(file) }'
    fi
}

common="-swift-version 6 -parse-as-library -O -enable-upcoming-feature ExistentialAny
    -enable-upcoming-feature InternalImportsByDefault"

# Everything in one module, but for the room below the bus's.
compile() {
    if [ "$1" = message ]; then
        headers="-I Sources/CDBus -I Sources/CSystemd -I Sources/CLinux"
        for flag in $(pkg-config --cflags-only-I dbus-1); do headers="$headers -Xcc $flag"; done
        swiftc $common -module-name EventLoop $headers -emit-library -static -o "$build/libEventLoop.a" \
            -emit-module -emit-module-path "$build/EventLoop.swiftmodule" Sources/EventLoop/*.swift
        swiftc $common -sanitize=fuzzer,address -module-name DBus $headers -I "$build" \
            Sources/DBus/*.swift Tests/Fuzz/FuzzMessage.swift \
            -L "$build" -lEventLoop -lsystemd -ldbus-1 -o "$2"
    elif [ "$1" = handlers ]; then
        # Every room of the daemon, each a module as it is: they import each other.
        rooms="JSON Schedules Scheduling EventLoop DBus Store SQLiteStore Configuration Processes Execution Desktop Daemon"
        headers="-I Sources/CDBus -I Sources/CSystemd -I Sources/CLinux -I Sources/CSQLite"
        for flag in $(pkg-config --cflags-only-I dbus-1); do headers="$headers -Xcc $flag"; done
        mkdir -p "$build/rooms"
        libraries=
        for room in $rooms; do
            swiftc $common -wmo -sanitize=fuzzer,address -module-name "$room" $headers -I "$build/rooms" -emit-library \
                -static -o "$build/rooms/lib$room.a" -emit-module \
                -emit-module-path "$build/rooms/$room.swiftmodule" $(find "Sources/$room" -name '*.swift') || return
            libraries="-l$room $libraries"
        done
        swiftc $common -sanitize=fuzzer,address -module-name FuzzHandlers $headers -I "$build/rooms" \
            Tests/Fuzz/FuzzHandlers.swift -L "$build/rooms" $libraries -lsystemd -ldbus-1 -lsqlite3 -o "$2"
    else
        swiftc $common -sanitize=fuzzer,address -module-name Fuzz \
            Sources/Schedules/*.swift Tests/Fuzz/FuzzChecks.swift "Tests/Fuzz/$(entry "$1").swift" -o "$2"
    fi
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
    silence=0
    # The daemon's log; a finding that is given to the program by hand says why it is one.
    [ "$target" = handlers ] && silence=2
    echo "fuzz $target: $seconds s"
    SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0 "$program" -max_total_time="$seconds" -max_len="$length" \
        -close_fd_mask="$silence" \
        -timeout=5 -print_final_stats=1 -verbosity=0 -artifact_prefix="$build/$target/" "$build/$target/corpus" || failed=1
done
exit $failed
