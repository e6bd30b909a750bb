/* Made by keelback 0.1.0: the plugin greeter. Changes to this file are lost. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif


#define KEELBACK_STANDALONE 0

/* ---- What the prelude may use ---- */

#define KEELBACK_EXPORT __attribute__((visibility("default")))
#ifdef __cplusplus
#define KEELBACK_C extern "C"
#else
#define KEELBACK_C
#endif
#ifndef CFFI_DLLEXPORT
#define CFFI_DLLEXPORT KEELBACK_EXPORT
#endif

/* Starts Python and runs the init code, unless that is done: 0, or -1 after a message on standard error. */
KEELBACK_UNUSED static int cffi_start_python(void)
{
    return keelback_start_now("cffi_start_python") == 0 ? 0 : -1;
}



KEELBACK_C KEELBACK_EXPORT int add1(int arg0, int arg1);
KEELBACK_C KEELBACK_EXPORT const char *greet(const char *arg0);


#ifdef __cplusplus
typedef bool keelback_bool_t;
#else
typedef _Bool keelback_bool_t;
#endif

/* ---- The payload ---- */

/* C99 promises string literals of no more than 4095 characters; these compilers know no limit. */
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"
#endif
static const char keelback_cdef_0[] =
    "/* A greeter, as small as a library gets. */\n"
    "\n"
    "/** The sum of two numbers. */\n"
    "int add1(int x, int y);\n"
    "\n"
    "/// A greeting for `name`. The text is good until the next call.\n"
    "const char *greet(const char *name);\n";
static const char keelback_init_code[] =
    "from greeter import ffi, lib\n"
    "\n"
    "\n"
    "@ffi.def_extern()\n"
    "def add1(x, y):\n"
    "    return x + y\n"
    "\n"
    "\n"
    "@ffi.def_extern()\n"
    "def greet(name):\n"
    "    return keep(\"Hello, \" + ffi.string(name).decode() + \"?!?\? \\\\ \303\251\")\n";
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

static const keelback_cdef_t keelback_cdefs[] = {
    { "greeter.h", keelback_cdef_0, sizeof keelback_cdef_0 - 1, KEELBACK_CDEF_EMBEDDING_API, 0 },
};

KEELBACK_SHARED KEELBACK_COLD void keelback_answer(void)
{
}

/* ---- The functions that run Python ---- */

KEELBACK_C KEELBACK_EXPORT int add1(int arg0, int arg1);
KEELBACK_C KEELBACK_EXPORT const char *greet(const char *arg0);

static const int keelback_error_0 = (int)(-1);

static keelback_function_t keelback_functions[] = {
    {"add1", (void (*)(void))add1, &keelback_error_0, sizeof(int), 0, 0, NULL},
    {"greet", (void (*)(void))greet, NULL, sizeof(const char *), 0, 0, NULL},
};

static keelback_plugin_t keelback_plugin = {
    KEELBACK_ABI_VERSION,
    0,
    "0.1.0",
    "greeter",
    keelback_cdefs, sizeof keelback_cdefs / sizeof *keelback_cdefs,
    keelback_init_code, sizeof keelback_init_code - 1, "greeter.py",
    NULL, 0,
    NULL, 0, 0,
    keelback_functions, sizeof keelback_functions / sizeof *keelback_functions,
    NULL, 0,
    NULL, 0,
    NULL, 0,
    NULL, 0,
    NULL, 0,
    keelback_slow_path,
    NULL,
    NULL,
    NULL,
};

KEELBACK_SHARED keelback_plugin_t *keelback_this(void)
{
    return &keelback_plugin;
}

static const keelback_recorded_t keelback_where = {
    NULL,
    NULL,
    NULL,
    NULL,
    "3.11",
#ifdef __APPLE__
    "libpython" "3.11" ".dylib",
#else
    "libpython" "3.11" ".so.1.0",
#endif
};

/* Found by its section: the library exports nothing for it. */
#ifdef __APPLE__
__attribute__((used, section("__DATA,__keelback")))
#else
__attribute__((used, section(".keelback")))
#endif
static keelback_description_t keelback_description = {
    &keelback_plugin,
    &keelback_where,
    keelback_search,
    KEELBACK_STANDALONE,
};

KEELBACK_SHARED KEELBACK_COLD const keelback_recorded_t *keelback_recorded(void)
{
    /* By way of the description, so that no linker takes it for unused. */
    return keelback_description.recorded;
}

static inline void keelback_call(keelback_function_t *function, void *slots)
{
    __atomic_load_n(&keelback_plugin.dispatch, __ATOMIC_ACQUIRE)(function, slots);
}

/* Arguments and result meet the dispatcher in slots of 8 bytes, aligned for any type. */
typedef struct __attribute__((aligned(16))) keelback_slot_t {
    char bytes[16];
} keelback_slot_t;

KEELBACK_EXPORT int add1(int arg0, int arg1)
{
    union {
        keelback_slot_t slots[1];
        int result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    keelback_call(&keelback_functions[0], &frame);
    return frame.result;
}

KEELBACK_EXPORT const char *greet(const char *arg0)
{
    union {
        keelback_slot_t slots[1];
        const char *result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    keelback_call(&keelback_functions[1], &frame);
    return frame.result;
}

/* ---- The plugin's own functions ---- */

KEELBACK_C KEELBACK_EXPORT int greeter_start(void);
KEELBACK_C KEELBACK_EXPORT const char *greeter_last_error(void);
KEELBACK_C KEELBACK_EXPORT void greeter_set_error_handler(keelback_error_handler_t handler, void *data);
KEELBACK_C KEELBACK_EXPORT int greeter_enter(void);
KEELBACK_C KEELBACK_EXPORT void greeter_leave(void);

KEELBACK_EXPORT int greeter_start(void)
{
    return keelback_start_now(NULL);
}

KEELBACK_EXPORT const char *greeter_last_error(void)
{
    return keelback_last_failure();
}

KEELBACK_EXPORT void greeter_set_error_handler(keelback_error_handler_t handler, void *data)
{
    keelback_handle_errors(handler, data);
}

KEELBACK_EXPORT int greeter_enter(void)
{
    return keelback_enter_scope();
}

KEELBACK_EXPORT void greeter_leave(void)
{
    keelback_leave_scope("greeter");
}

/* `import greeter` finds the plugin under a name that Python looks for. */
KEELBACK_C KEELBACK_EXPORT void *PyInit_greeter(void);
KEELBACK_EXPORT void *PyInit_greeter(void)
{
    return keelback_import();
}
