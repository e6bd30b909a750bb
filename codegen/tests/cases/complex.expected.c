/* Made by keelback 0.1.0: the plugin complex. Changes to this file are lost. */
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
    "float _Complex f_float(float _Complex a);\n"
    "double _Complex f_double(double _Complex a, int b, float _Complex *c);\n";
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

static const keelback_cdef_t keelback_cdefs[] = {
    { "complex.h", keelback_cdef_0, sizeof keelback_cdef_0 - 1, KEELBACK_CDEF_EMBEDDING_API, 0 },
};

KEELBACK_SHARED KEELBACK_COLD void keelback_answer(void)
{
}

/* ---- The functions that run Python ---- */

KEELBACK_EXTENSION KEELBACK_C KEELBACK_EXPORT float _Complex f_float(float _Complex arg0);
KEELBACK_EXTENSION KEELBACK_C KEELBACK_EXPORT double _Complex f_double(double _Complex arg0, int arg1, float _Complex *arg2);

KEELBACK_EXTENSION typedef float _Complex keelback_result_0;
KEELBACK_EXTENSION typedef double _Complex keelback_result_1;

static keelback_function_t keelback_functions[] = {
    {"f_float", (void (*)(void))f_float, NULL, sizeof(keelback_result_0), 0, 0, NULL},
    {"f_double", (void (*)(void))f_double, NULL, sizeof(keelback_result_1), 0, 0, NULL},
};

static keelback_plugin_t keelback_plugin = {
    KEELBACK_ABI_VERSION,
    0,
    "0.1.0",
    "complex",
    keelback_cdefs, sizeof keelback_cdefs / sizeof *keelback_cdefs,
    NULL, 0, NULL,
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

KEELBACK_EXTENSION KEELBACK_EXPORT float _Complex f_float(float _Complex arg0)
{
    KEELBACK_EXTENSION union {
        keelback_slot_t slots[1];
        float _Complex result;
    } frame;
    const void *at0 = &arg0;
    __builtin_memcpy((char *)&frame, &at0, sizeof at0);
    keelback_call(&keelback_functions[0], &frame);
    return frame.result;
}

KEELBACK_EXTENSION KEELBACK_EXPORT double _Complex f_double(double _Complex arg0, int arg1, float _Complex *arg2)
{
    KEELBACK_EXTENSION union {
        keelback_slot_t slots[2];
        double _Complex result;
    } frame;
    const void *at0 = &arg0;
    __builtin_memcpy((char *)&frame, &at0, sizeof at0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    __builtin_memcpy((char *)&frame + 16, &arg2, sizeof arg2);
    keelback_call(&keelback_functions[1], &frame);
    return frame.result;
}

/* ---- The plugin's own functions ---- */

KEELBACK_C KEELBACK_EXPORT int complex_start(void);
KEELBACK_C KEELBACK_EXPORT const char *complex_last_error(void);
KEELBACK_C KEELBACK_EXPORT void complex_set_error_handler(keelback_error_handler_t handler, void *data);
KEELBACK_C KEELBACK_EXPORT int complex_enter(void);
KEELBACK_C KEELBACK_EXPORT void complex_leave(void);

KEELBACK_EXPORT int complex_start(void)
{
    return keelback_start_now(NULL);
}

KEELBACK_EXPORT const char *complex_last_error(void)
{
    return keelback_last_failure();
}

KEELBACK_EXPORT void complex_set_error_handler(keelback_error_handler_t handler, void *data)
{
    keelback_handle_errors(handler, data);
}

KEELBACK_EXPORT int complex_enter(void)
{
    return keelback_enter_scope();
}

KEELBACK_EXPORT void complex_leave(void)
{
    keelback_leave_scope("complex");
}

/* `import complex` finds the plugin under a name that Python looks for. */
KEELBACK_C KEELBACK_EXPORT void *PyInit_complex(void);
KEELBACK_EXPORT void *PyInit_complex(void)
{
    return keelback_import();
}
