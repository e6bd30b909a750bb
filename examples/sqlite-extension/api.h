#include <sqlite3ext.h>

/** SQLite calls it when it loads the library: its name comes from the file name, libpyfuncs.so. */
int sqlite3_pyfuncs_init(sqlite3 *db, char **error, const sqlite3_api_routines *api);
