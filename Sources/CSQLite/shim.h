#pragma once
#include <sqlite3.h>

// What Swift can't call: functions with variable arguments, and constants that are casts.

static inline int gatehouse_sqlite3_be_defensive(sqlite3 *db) {
  return sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
}

// Counting its memory takes a lock for each piece of it. Refused once SQLite is in use, which does
// no harm.
static inline int gatehouse_sqlite3_count_no_memory(void) {
  return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static inline int gatehouse_sqlite3_bind_text(
    sqlite3_stmt *statement, int index, const char *text, sqlite3_uint64 byteCount) {
  return sqlite3_bind_text64(
      statement, index, text, byteCount, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static inline int gatehouse_sqlite3_bind_blob(
    sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 byteCount) {
  return sqlite3_bind_blob64(statement, index, bytes, byteCount, SQLITE_TRANSIENT);
}
