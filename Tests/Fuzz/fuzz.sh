#!/bin/sh
# Fuzzes the parsers of Schedules and its TZif reader: fuzz.sh [SECONDS [TARGET...]]
# Each target runs SECONDS (60). What it finds stays in .build/fuzz/TARGET; a finding fails the script.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
[ $# -gt 0 ] && shift
targets=${*:-cron interval once calendar tzif}
build=.build/fuzz
mkdir -p "$build"

entry() {
    case $1 in
    cron) echo FuzzCron ;;
    interval) echo FuzzInterval ;;
    once) echo FuzzOnce ;;
    calendar) echo FuzzCalendar ;;
    tzif) echo FuzzTZif ;;
    *) echo "fuzz.sh: no target $1: cron, interval, once, calendar, tzif" >&2; exit 2 ;;
    esac
}

seed() {
    corpus=$build/$1/corpus
    mkdir -p "$corpus"
    if [ "$1" = tzif ]; then
        for zone in America/New_York Australia/Lord_Howe Pacific/Apia UTC Africa/Casablanca Asia/Jerusalem; do
            cp "/usr/share/zoneinfo/$zone" "$corpus/$(echo "$zone" | tr / _)"
        done
    else
        sed -n 's/.*"expr": "\([^"]*\)".*/\1/p' Tests/SchedulesTests/Vectors/*.jsonl |
            awk -v folder="$corpus" '{ file = folder "/row" NR; printf "%s", $0 > file; close(file) }'
    fi
}

failed=0
for target in $targets; do
    program=$build/fuzz-$target
    # The linker complains by the hundred of symbols of the sanitizer that it cannot export.
    swiftc -swift-version 6 -sanitize=fuzzer,address -parse-as-library -O -module-name Fuzz \
        -enable-upcoming-feature ExistentialAny -enable-upcoming-feature InternalImportsByDefault \
        Sources/Schedules/*.swift Tests/Fuzz/FuzzChecks.swift "Tests/Fuzz/$(entry "$target").swift" -o "$program" \
        2>"$build/$target.log" || { cat "$build/$target.log" >&2; exit 1; }
    [ -d "$build/$target/corpus" ] || seed "$target"
    length=400
    [ "$target" = tzif ] && length=6000
    echo "fuzz $target: $seconds s"
    SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0 "$program" -max_total_time="$seconds" -max_len="$length" \
        -timeout=5 -print_final_stats=1 -verbosity=0 -artifact_prefix="$build/$target/" "$build/$target/corpus" || failed=1
done
exit $failed
