/* An SQLite extension gets a table of SQLite's functions when it is loaded, and sqlite3ext.h makes each function a
 * macro over that table. What Python calls therefore has a C function here. */
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1

static void use_sqlite(const sqlite3_api_routines *api)
{
    SQLITE_EXTENSION_INIT2(api);
}

static int create_function(sqlite3 *db, const char *name, int arguments, void *data,
                           void (*call)(sqlite3_context *, int, sqlite3_value **),
                           void (*step)(sqlite3_context *, int, sqlite3_value **),
                           void (*final)(sqlite3_context *), void (*destroy)(void *))
{
    return sqlite3_create_function_v2(db, name, arguments, SQLITE_UTF8 | SQLITE_DETERMINISTIC, data, call, step,
                                      final, destroy);
}

static void *user_data(sqlite3_context *context)
{
    return sqlite3_user_data(context);
}

/* The group's own memory, zero at first; NULL when `create` is 0 and the group has had no row. */
static void **group_data(sqlite3_context *context, int create)
{
    return (void **)sqlite3_aggregate_context(context, create ? (int)sizeof(void *) : 0);
}

static int value_type(sqlite3_value *value)
{
    return sqlite3_value_type(value);
}

static sqlite3_int64 value_int(sqlite3_value *value)
{
    return sqlite3_value_int64(value);
}

static double value_double(sqlite3_value *value)
{
    return sqlite3_value_double(value);
}

/* Text as well as blobs. The bytes are there until the function returns. */
static const void *value_bytes(sqlite3_value *value, int *size)
{
    const void *bytes = sqlite3_value_type(value) == SQLITE_BLOB ? sqlite3_value_blob(value)
                                                                 : (const void *)sqlite3_value_text(value);
    *size = sqlite3_value_bytes(value);
    return bytes;
}

static void result_null(sqlite3_context *context)
{
    sqlite3_result_null(context);
}

static void result_int(sqlite3_context *context, sqlite3_int64 value)
{
    sqlite3_result_int64(context, value);
}

static void result_double(sqlite3_context *context, double value)
{
    sqlite3_result_double(context, value);
}

static void result_text(sqlite3_context *context, const char *text, int size)
{
    sqlite3_result_text(context, text, size, SQLITE_TRANSIENT);
}

static void result_error(sqlite3_context *context, const char *text, int size)
{
    sqlite3_result_error(context, text, size);
}
