/* ---- The loader: its interface with the plugin ---- */

#define KEELBACK_COLD __attribute__((cold, noinline))
#define KEELBACK_UNUSED __attribute__((unused))
#define KEELBACK_EXTENSION __extension__

/* The loader is a part of the plugin's file, or an object of its own in the same library. */
#ifndef KEELBACK_SHARED
#define KEELBACK_SHARED static
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The plugin's part. */
KEELBACK_SHARED keelback_plugin_t *keelback_this(void);
KEELBACK_SHARED const keelback_recorded_t *keelback_recorded(void);
/* Fills in the answers of the C compiler. */
KEELBACK_SHARED void keelback_answer(void);

/* The loader's part. */
KEELBACK_SHARED void keelback_slow_path(keelback_function_t *function, void *slots);
/* What NAME_start and cffi_start_python do. A failure is reported as one of the function `report_as`, if not NULL. */
KEELBACK_SHARED int keelback_start_now(const char *report_as);
KEELBACK_UNUSED KEELBACK_SHARED const char *keelback_last_failure(void);
KEELBACK_UNUSED KEELBACK_SHARED void keelback_handle_errors(keelback_error_handler_t handler, void *data);
/* What NAME_enter and NAME_leave do; `prefix` is NAME. */
KEELBACK_UNUSED KEELBACK_SHARED int keelback_enter_scope(void);
KEELBACK_UNUSED KEELBACK_SHARED void keelback_leave_scope(const char *prefix);
/* `import NAME` in a Python: the module, or NULL with an ImportError set. */
KEELBACK_SHARED void *keelback_import(void);
/* keelback_description_t.search */
KEELBACK_SHARED void keelback_search(keelback_search_t *search);

#ifdef __cplusplus
}
#endif

