#pragma once
#include <dbus/dbus.h>

/* libdbus spells its type codes as cast macros, which Swift does not import. */
enum {
    BC_DBUS_TYPE_INVALID = DBUS_TYPE_INVALID,
};
