#!/bin/sh
# Fuzzes the parsers of Schedules, its TZif reader, and what comes over the bus: fuzz.sh [SECONDS [TARGET...]]
# Each target runs SECONDS (60). What it finds stays in .build/fuzz/TARGET; a finding fails the script.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
[ $# -gt 0 ] && shift
targets=${*:-cron interval once calendar tzif message}
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
    *) echo "fuzz.sh: no target $1: cron, interval, once, calendar, tzif, message" >&2; exit 2 ;;
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
    else
        swiftc $common -sanitize=fuzzer,address -module-name Fuzz \
            Sources/Schedules/*.swift Tests/Fuzz/FuzzChecks.swift "Tests/Fuzz/$(entry "$1").swift" -o "$2"
    fi
}

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
    echo "fuzz $target: $seconds s"
    SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0 "$program" -max_total_time="$seconds" -max_len="$length" \
        -timeout=5 -print_final_stats=1 -verbosity=0 -artifact_prefix="$build/$target/" "$build/$target/corpus" || failed=1
done
exit $failed
