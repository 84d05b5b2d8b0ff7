"""The face of dbus-next (its own wire protocol, in Python) that `perform.py` uses."""

import asyncio
import time

from dbus_next import Message, MessageType, Variant
from dbus_next.aio import MessageBus
from dbus_next.errors import DBusError
from dbus_next.proxy_object import BaseProxyInterface

from facts import NAME, PROPERTIES, SECONDS, Refused


def plain(value):
    """Values as JSON has them."""
    if isinstance(value, Variant):
        return plain(value.value)
    if isinstance(value, bytes):
        return list(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


class Client:
    def __init__(self):
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        self.signals = []
        self.proxies = {}
        self.bus = self.loop.run_until_complete(MessageBus().connect())
        # The bus itself has a signal for whoever comes: whose are ours is known before any is heard.
        self.owner = self._ask("GetNameOwner", NAME)
        self.bus.add_message_handler(self._heard)
        self._ask("AddMatch", f"type='signal',sender='{NAME}'")

    def _ask(self, member, argument):
        bus = "org.freedesktop.DBus"
        call = Message(bus, "/" + bus.replace(".", "/"), bus, member, signature="s", body=[argument])
        return self._now(self.bus.call(call)).body

    def _heard(self, message):
        if message.message_type == MessageType.SIGNAL and message.sender == self.owner[0]:
            self.signals.append({
                "member": message.member, "path": message.path, "interface": message.interface,
                "args": plain(message.body),
            })

    def _now(self, action):
        try:
            return self.loop.run_until_complete(asyncio.wait_for(action, SECONDS))
        except DBusError as error:
            raise Refused(error.type, error.text)

    def proxy(self, path, interface):
        """Made from introspection, and then kept, as programs do it."""
        if (path, interface) not in self.proxies:
            node = self._now(self.bus.introspect(NAME, path))
            self.proxies[path, interface] = self.bus.get_proxy_object(NAME, path, node).get_interface(interface)
        return self.proxies[path, interface]

    def call(self, path, interface, member, *arguments):
        name = "call_" + BaseProxyInterface._to_snake_case(member)
        return plain(self._now(getattr(self.proxy(path, interface), name)(*arguments)))

    def send(self, path, interface, member, types, *arguments):
        answer = self._now(self.bus.call(Message(NAME, path, interface, member, signature=types, body=list(arguments))))
        if answer.message_type == MessageType.ERROR:
            raise Refused(answer.error_name, answer.body[0] if answer.body else "")
        values = plain(answer.body)
        return values[0] if len(values) == 1 else values or None

    def get(self, path, interface, name):
        """The type and the value."""
        answer = self._now(self.bus.call(
            Message(NAME, path, PROPERTIES, "Get", signature="ss", body=[interface, name])))
        if answer.message_type == MessageType.ERROR:
            raise Refused(answer.error_name, answer.body[0])
        return [answer.body[0].signature, plain(answer.body[0])]

    def set(self, path, interface, name, types, value):
        self.send(path, PROPERTIES, "Set", "ssv", interface, name, Variant(types, value))

    def variant(self, types, value):
        return Variant(types, value)

    def xml(self, path):
        return self.send(path, "org.freedesktop.DBus.Introspectable", "Introspect", "")

    def wait(self, condition, what):
        """Turns the loop until the condition holds."""
        end = time.monotonic() + SECONDS
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"{SECONDS} s passed without {what}; heard {self.signals}")
            self.loop.run_until_complete(asyncio.sleep(0.01))
