#pragma once
#include <sqlite3.h>

/* SQLITE_TRANSIENT is a cast macro, which Swift does not import: SQLite copies the text before this returns.
   A null pointer would bind NULL; Swift's empty buffers may have one. */
static inline int bc_sqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, sqlite3_uint64 bytes)
{ return sqlite3_bind_text64(statement, index, text ? text : "", bytes, SQLITE_TRANSIENT, SQLITE_UTF8); }

/* sqlite3_db_config is variadic. */
static inline int bc_sqlite_checkpoint_on_close(sqlite3 *connection, int on)
{ return sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !on, (int *)0); }
