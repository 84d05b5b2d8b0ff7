#!/bin/sh
# Measures the schedule engine beside its peers in one run: bench-schedules.sh [--install]
#
# --install fetches what is missing: Debian's golang-go and golang-github-robfig-cron-dev, and croniter, cronsim and
# APScheduler from PyPI into .build/peers. Without it a peer that is missing is left out, and said so.
set -eu
cd "$(dirname "$0")/../.."
expressions=Tests/Benchmarks/cron-expressions.txt
build=.build/bench
mkdir -p "$build"

if [ "${1:-}" = --install ]; then
    missing=$(dpkg-query -W -f '${Package} ${Status}\n' golang-go golang-github-robfig-cron-dev 2>/dev/null |
        grep -c 'install ok installed' || true)
    if [ "$missing" -lt 2 ]; then
        apt-get install -y --no-install-recommends golang-go golang-github-robfig-cron-dev >"$build/apt.log"
    fi
    [ -x .build/peers/bin/python ] || python3 -m venv .build/peers
    .build/peers/bin/pip install --quiet --disable-pip-version-check croniter cronsim 'APScheduler<4' tzdata
fi

swift build -c release --product schedule-bench >"$build/build.log" 2>&1 || { cat "$build/build.log"; exit 1; }
cc -shared -fPIC -O2 -o "$build/count-malloc.so" Tests/Benchmarks/count-malloc.c

: >"$build/peers.txt"
if [ -x .build/peers/bin/python ]; then
    .build/peers/bin/python Tests/Benchmarks/peers/peers.py "$expressions" >>"$build/peers.txt"
else
    echo "left out: croniter, cronsim, APScheduler (bench-schedules.sh --install)"
fi
if command -v go >/dev/null && [ -d /usr/share/gocode/src/github.com/robfig/cron ]; then
    GOPATH=/usr/share/gocode GO111MODULE=off GOCACHE="$PWD/$build/go" GOFLAGS= \
        go build -o "$build/robfig" Tests/Benchmarks/peers/robfig.go
    "$build/robfig" "$expressions" >>"$build/peers.txt"
else
    echo "left out: robfig/cron (bench-schedules.sh --install)"
fi
library=$(find /usr/lib/systemd /lib/systemd /usr/lib/*/systemd -name 'libsystemd-shared-*.so' 2>/dev/null | head -n 1)
if [ -n "$library" ] && cc -O2 -o "$build/libsystemd" Tests/Benchmarks/peers/libsystemd.c -ldl; then
    "$build/libsystemd" "$library" >>"$build/peers.txt"
else
    echo "left out: systemd (no libsystemd-shared)"
fi

LD_PRELOAD="$PWD/$build/count-malloc.so" .build/release/schedule-bench "$expressions" | tee "$build/own.txt"

echo
echo "Nanoseconds per next fire, beside the peers (-: it cannot say the expression)"
awk '
    FNR == NR { peer[$1 " " $2] = $3; next }
    FNR == 1 { printf "%-18s%10s%10s%10s%10s%12s%12s\n", "", "BotCron", "robfig", "systemd", "cronsim", "croniter", "APScheduler"; next }
    /^(rare|never|ten|10,000) / { next }
    {
        printf "%-18s%10s", $1, $2
        split("robfig systemd cronsim", near, " "); split("croniter apscheduler", far, " ")
        for (i = 1; i <= 3; i++) printf "%10s", (near[i] " " $1 in peer) ? peer[near[i] " " $1] : "-"
        for (i = 1; i <= 2; i++) printf "%12s", (far[i] " " $1 in peer) ? peer[far[i] " " $1] : "-"
        print ""
    }
' "$build/peers.txt" "$build/own.txt"
