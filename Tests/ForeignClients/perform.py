"""Performs a script of steps with a client library that is not ours, and prints what came of each as one JSON object.

    perform.py python-dbus|dbus-next SCRIPT

SCRIPT is Python text. It finds here what it needs: `do`, `raw`, `step` and `note` perform and record a step by name,
`client` is the library's face (the same for both, see `python_dbus_client.py`), and `signals` what was heard so far.
"""

import importlib
import json
import os
import subprocess
import sys

from facts import CONFIG, FACE, JOB, MANAGER, NAME, PROPERTIES, ROOT, RUN, Refused

library, script = sys.argv[1:]
module = {"python-dbus": "python_dbus_client", "dbus-next": "dbus_next_client"}[library]
client = importlib.import_module(module).Client()
signals = client.signals
steps = {}


def note(name, value):
    """Records a value that is at hand."""
    assert name not in steps, f"two steps are called {name}"
    steps[name] = {"value": value}
    return value


def step(name, action, *arguments, **more):
    """Performs an action; a refusal is recorded as such, and gives None."""
    try:
        value = action(*arguments, **more)
    except Refused as refused:
        assert name not in steps, f"two steps are called {name}"
        steps[name] = {"error": refused.name, "message": refused.message}
        return None
    return note(name, value)


def parsed(value):
    """What a reply says, where it is one string of JSON; else the reply."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def text(value):
    return value if isinstance(value, str) else json.dumps(value)


def do(name, member, *arguments, path=ROOT, interface=FACE):
    """Calls a method through a proxy that was made from introspection."""
    return step(name, lambda: parsed(client.call(path, interface, member, *arguments)))


def raw(name, member, signature="", *arguments, path=ROOT, interface=FACE):
    """Sends a call with this signature, whatever the object declares."""
    return step(name, lambda: parsed(client.send(path, interface, member, signature, *arguments)))


def older(name, method, arguments=""):
    """Calls through the door of the older clients."""
    return do(name, "CallMethod", method, text(arguments))


def run_to_end(job):
    """The run of a job, as it ended."""
    run = parsed(client.call(ROOT, FACE, "run_job", text(job)))
    return parsed(client.call(ROOT, FACE, "wait_run", run["execution_id"]))


def heard(member, *arguments):
    """Waits for a signal that begins with these arguments, heard already or to come; gives all its arguments."""

    def found():
        of_member = (signal["args"] for signal in signals if signal["member"] == member)
        return next((values for values in of_member if values[: len(arguments)] == list(arguments)), None)

    client.wait(found, f"the signal {member} {arguments}")
    return found()


def until(what, condition):
    """Waits for what makes no signal."""
    client.wait(condition, what)


def tool(name, *arguments):
    """Runs a program on this bus; records its exit code and what it said."""
    ran = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    return note(name, {"code": ran.returncode, "output": ran.stdout, "error": ran.stderr})


try:
    exec(compile(script, "script", "exec"))
finally:
    note("signals", signals)
    json.dump(steps, sys.stdout)
