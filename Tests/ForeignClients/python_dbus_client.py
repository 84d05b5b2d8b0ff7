"""The face of python-dbus (libdbus) that `perform.py` uses."""

import time

import dbus
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

from facts import NAME, PROPERTIES, SECONDS, Refused

# The first that fits: a boolean is an integer, too.
LETTERS = [
    (dbus.Boolean, "b"), (dbus.Byte, "y"), (dbus.Int16, "n"), (dbus.UInt16, "q"), (dbus.Int32, "i"), (dbus.UInt32, "u"),
    (dbus.Int64, "x"), (dbus.UInt64, "t"), (dbus.Double, "d"), (dbus.ObjectPath, "o"), (dbus.Signature, "g"),
    (dbus.String, "s"),
]


def plain(value):
    """Values as JSON has them."""
    if isinstance(value, (bool, dbus.Boolean)):
        return bool(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def signature(value):
    if isinstance(value, dbus.Array):
        return "a" + str(value.signature)
    if isinstance(value, dbus.Dictionary):
        return "a{" + str(value.signature) + "}"
    if isinstance(value, dbus.Struct):
        return "(" + "".join(signature(item) for item in value) + ")"
    return next(letter for kind, letter in LETTERS if isinstance(value, kind))


class Client:
    def __init__(self):
        DBusGMainLoop(set_as_default=True)
        self.bus = dbus.SessionBus()
        self.signals = []
        self.bus.add_signal_receiver(
            self._heard, bus_name=NAME, member_keyword="member", path_keyword="path", interface_keyword="interface")

    def _heard(self, *values, member, path, interface):
        self.signals.append({"member": member, "path": path, "interface": interface, "args": plain(values)})

    def _answered(self, action):
        try:
            return plain(action())
        except dbus.DBusException as error:
            raise Refused(error.get_dbus_name(), error.get_dbus_message())

    def call(self, path, interface, member, *arguments):
        def action():
            proxy = self.bus.get_object(NAME, path, introspect=True, follow_name_owner_changes=False)
            return proxy.get_dbus_method(member, interface)(*arguments, timeout=SECONDS)

        return self._answered(action)

    def send(self, path, interface, member, types, *arguments):
        return self._answered(
            lambda: self.bus.call_blocking(NAME, path, interface, member, types, arguments, timeout=SECONDS))

    def get(self, path, interface, name):
        """The type and the value."""
        try:
            value = self.bus.call_blocking(NAME, path, PROPERTIES, "Get", "ss", (interface, name), timeout=SECONDS)
        except dbus.DBusException as error:
            raise Refused(error.get_dbus_name(), error.get_dbus_message())
        return [signature(value), plain(value)]

    def set(self, path, interface, name, types, value):
        self.send(path, PROPERTIES, "Set", "ssv", interface, name, self.variant(types, value))

    def variant(self, types, value):
        if types[0] == "a":
            return dbus.Array(value, signature=types[1:], variant_level=1)
        return next(kind for kind, letter in LETTERS if letter == types)(value, variant_level=1)

    def xml(self, path):
        return self.send(path, "org.freedesktop.DBus.Introspectable", "Introspect", "")

    def wait(self, condition, what):
        """Turns the loop until the condition holds."""
        context = GLib.MainContext.default()
        # What makes no event is looked at all the same.
        GLib.timeout_add(20, lambda: True)
        end = time.monotonic() + SECONDS
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"{SECONDS} s passed without {what}; heard {self.signals}")
            context.iteration(True)
