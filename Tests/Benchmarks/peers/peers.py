"""Nanoseconds per next fire of croniter, cronsim and APScheduler: peers.py EXPRESSIONS. One line each: peer, name, ns."""

import sys
import time
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from croniter import croniter
from cronsim import CronSim


def croniter_steps(expression, start, calls):
    iterator = croniter(expression, start, second_at_beginning=True)
    for _ in range(calls):
        iterator.get_next(datetime)


def cronsim_steps(expression, start, calls):
    iterator = CronSim(expression, start)
    for _ in range(calls):
        next(iterator)


def apscheduler_steps(expression, start, calls):
    fields = expression.split()
    second = fields.pop(0) if len(fields) == 6 else "0"
    minute, hour, day, month, weekday = fields
    if "#" in weekday:
        day, weekday = "5th mon", "*"
    trigger = CronTrigger(
        second=second, minute=minute, hour=hour, day=day, month=month, day_of_week=weekday.lower(), timezone=start.tzinfo
    )
    previous = start
    for _ in range(calls):
        previous = trigger.get_next_fire_time(previous, previous + timedelta(microseconds=1))


PEERS = {"croniter": croniter_steps, "cronsim": cronsim_steps, "apscheduler": apscheduler_steps}


def measure(steps, expression, start, calls):
    # A tenth of the calls is enough to time an interpreter.
    calls = max(3, calls // 10)
    best = None
    for _ in range(3):
        begin = time.perf_counter_ns()
        steps(expression, start, calls)
        elapsed = (time.perf_counter_ns() - begin) / calls
        best = elapsed if best is None else min(best, elapsed)
    return round(best)


for line in open(sys.argv[1], encoding="utf-8"):
    if line.startswith("#"):
        continue
    name, _, expression, zone, begin, calls = line.rstrip("\n").split("\t")
    start = datetime.fromisoformat(begin.replace("Z", "+00:00"))
    start = start.astimezone(timezone.utc if zone == "UTC" else ZoneInfo(zone))
    for peer, steps in PEERS.items():
        try:
            print(peer, name, measure(steps, expression, start, int(calls)))
        except Exception:
            print(peer, name, "-")
