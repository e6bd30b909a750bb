/* Made by keelback 0.1.0: the plugin int128. Changes to this file are lost. */
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

/* ---- The declarations ---- */

#define LOWEST (__extension__ ((__int128)(-68719476736LL) * ((__int128)1 << 64) + 0ULL))
KEELBACK_EXTENSION struct wide { __int128 x; unsigned __int128 bits : 77; };

/* ---- The payload ---- */

/* C99 promises string literals of no more than 4095 characters; these compilers know no limit. */
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"
#endif
static const char keelback_cdef_0[] =
    "static const __int128 LOWEST = -((__int128)1 << 100);\n"
    "struct wide { __int128 x; unsigned __int128 bits : 77; };\n"
    "__int128 both(__int128 a, unsigned __int128 *b);\n"
    "struct wide by_value(struct wide w, __int128 (*f)(int));\n";
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

static const keelback_cdef_t keelback_cdefs[] = {
    { "int128.h", keelback_cdef_0, sizeof keelback_cdef_0 - 1, KEELBACK_CDEF_EMBEDDING_API, 0 },
};

/* ---- The declarations and the compiler agree ---- */

#if defined(__cplusplus) && __cplusplus >= 201103L
#define KEELBACK_ASSERT(condition, message) static_assert(condition, message)
#elif !defined(__cplusplus) && defined(__GNUC__)
#define KEELBACK_ASSERT(condition, message) __extension__ _Static_assert(condition, message)
#else
#define KEELBACK_ASSERT(condition, message) extern int keelback_assertion[(condition) ? 1 : -1]
#endif
KEELBACK_ASSERT(sizeof(struct wide) == 32, "struct wide: the cdef makes it 32 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct wide, x) == 0, "struct wide: the cdef puts 'x' at offset 0, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct wide *)0)->x) == 16, "struct wide: the cdef makes 'x' 16 bytes large, the compiler does not: correct the declaration, or end it with '...;'");


KEELBACK_SHARED KEELBACK_COLD void keelback_answer(void)
{
}

/* ---- The functions that run Python ---- */

KEELBACK_EXTENSION KEELBACK_C KEELBACK_EXPORT __int128 both(__int128 arg0, unsigned __int128 *arg1);
KEELBACK_EXTENSION KEELBACK_C KEELBACK_EXPORT struct wide by_value(struct wide arg0, __int128 (*arg1)(int));

KEELBACK_EXTENSION typedef __int128 keelback_result_0;

static keelback_function_t keelback_functions[] = {
    {"both", (void (*)(void))both, NULL, sizeof(keelback_result_0), 0, 0, NULL},
    {"by_value", (void (*)(void))by_value, NULL, sizeof(struct wide), 0, 0, NULL},
};

static keelback_plugin_t keelback_plugin = {
    KEELBACK_ABI_VERSION,
    0,
    "0.1.0",
    "int128",
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

KEELBACK_EXTENSION KEELBACK_EXPORT __int128 both(__int128 arg0, unsigned __int128 *arg1)
{
    KEELBACK_EXTENSION union {
        keelback_slot_t slots[1];
        __int128 result;
    } frame;
    const void *at0 = &arg0;
    __builtin_memcpy((char *)&frame, &at0, sizeof at0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    keelback_call(&keelback_functions[0], &frame);
    return frame.result;
}

KEELBACK_EXTENSION KEELBACK_EXPORT struct wide by_value(struct wide arg0, __int128 (*arg1)(int))
{
    KEELBACK_EXTENSION union {
        keelback_slot_t slots[1];
        struct wide result;
    } frame;
    const void *at0 = &arg0;
    __builtin_memcpy((char *)&frame, &at0, sizeof at0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    keelback_call(&keelback_functions[1], &frame);
    return frame.result;
}

/* ---- The plugin's own functions ---- */

KEELBACK_C KEELBACK_EXPORT int int128_start(void);
KEELBACK_C KEELBACK_EXPORT const char *int128_last_error(void);
KEELBACK_C KEELBACK_EXPORT void int128_set_error_handler(keelback_error_handler_t handler, void *data);
KEELBACK_C KEELBACK_EXPORT int int128_enter(void);
KEELBACK_C KEELBACK_EXPORT void int128_leave(void);

KEELBACK_EXPORT int int128_start(void)
{
    return keelback_start_now(NULL);
}

KEELBACK_EXPORT const char *int128_last_error(void)
{
    return keelback_last_failure();
}

KEELBACK_EXPORT void int128_set_error_handler(keelback_error_handler_t handler, void *data)
{
    keelback_handle_errors(handler, data);
}

KEELBACK_EXPORT int int128_enter(void)
{
    return keelback_enter_scope();
}

KEELBACK_EXPORT void int128_leave(void)
{
    keelback_leave_scope("int128");
}

/* `import int128` finds the plugin under a name that Python looks for. */
KEELBACK_C KEELBACK_EXPORT void *PyInit_int128(void);
KEELBACK_EXPORT void *PyInit_int128(void)
{
    return keelback_import();
}
