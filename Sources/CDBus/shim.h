#pragma once
#include <dbus/dbus.h>

/* libdbus spells this as a cast macro, which Swift does not import. */
enum { BC_DBUS_TIMEOUT_INFINITE = DBUS_TIMEOUT_INFINITE };
