/* Made by keelback 0.1.0: the plugin batches. Changes to this file are lost. */
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


#include <stddef.h>

KEELBACK_C KEELBACK_EXPORT double score(double arg0);
KEELBACK_C KEELBACK_EXPORT void tick(void *arg0);
KEELBACK_C KEELBACK_EXPORT int plain(int arg0);


#ifdef __cplusplus
typedef bool keelback_bool_t;
#else
typedef _Bool keelback_bool_t;
#endif

/* ---- The declarations ---- */

struct point { double x, y; };

/* ---- The payload ---- */

/* C99 promises string literals of no more than 4095 characters; these compilers know no limit. */
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"
#endif
static const char keelback_cdef_0[] =
    "struct point { double x, y; };\n"
    "\n"
    "/* keelback: batch */\n"
    "double score(double x);\n"
    "int weigh(const struct point *where, const char *label, _Bool n, int result); /* keelback: batch */\n"
    "void tick(void *);   // keelback: batch\n"
    "int plain(int);\n";
static const char keelback_cdef_1[] =
    "\n"
    "/**\n"
    " * `result[i] = score(x[i])` for each `i` below `n`, in one call of Python.\n"
    " * Each array has `n` elements; NULL is for arrays of none. An element that fails gets score()'s error value, and the\n"
    " * others go on. `result` and `x` may be one array. Failures are reported once for the whole batch: which element was\n"
    " * the first, and how many there were.\n"
    " */\n"
    "void score_n(size_t n, const double *x, double *result);\n"
    "\n"
    "/**\n"
    " * `results[i] = weigh(&where[i], label[i], n[i], result[i])` for each `i` below `batch_n`, in one call of Python.\n"
    " * Each array has `batch_n` elements; NULL is for arrays of none. An element that fails gets weigh()'s error value,\n"
    " * and the others go on. `results` and `result` may be one array. Failures are reported once for the whole batch:\n"
    " * which element was the first, and how many there were.\n"
    " */\n"
    "void weigh_n(size_t batch_n, const struct point *where, const char *const *label, const _Bool *n, const int *result, int *results);\n"
    "\n"
    "/**\n"
    " * `tick(arg0[i])` for each `i` below `n`, in one call of Python.\n"
    " * Each array has `n` elements; NULL is for arrays of none. After an element that fails the others go on. Failures\n"
    " * are reported once for the whole batch: which element was the first, and how many there were.\n"
    " */\n"
    "void tick_n(size_t n, void *const *arg0);\n"
    "\n";
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

static const keelback_cdef_t keelback_cdefs[] = {
    { "batches.h", keelback_cdef_0, sizeof keelback_cdef_0 - 1, KEELBACK_CDEF_EMBEDDING_API, 0 },
    { "<batches>", keelback_cdef_1, sizeof keelback_cdef_1 - 1, KEELBACK_CDEF_EMBEDDING_API, 0 },
};

/* ---- The declarations and the compiler agree ---- */

#if defined(__cplusplus) && __cplusplus >= 201103L
#define KEELBACK_ASSERT(condition, message) static_assert(condition, message)
#elif !defined(__cplusplus) && defined(__GNUC__)
#define KEELBACK_ASSERT(condition, message) __extension__ _Static_assert(condition, message)
#else
#define KEELBACK_ASSERT(condition, message) extern int keelback_assertion[(condition) ? 1 : -1]
#endif
KEELBACK_ASSERT(sizeof(struct point) == 16, "struct point: the cdef makes it 16 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct point, x) == 0, "struct point: the cdef puts 'x' at offset 0, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct point *)0)->x) == 8, "struct point: the cdef makes 'x' 8 bytes large, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(__builtin_offsetof(struct point, y) == 8, "struct point: the cdef puts 'y' at offset 8, the compiler does not: correct the declaration, or end it with '...;'");
KEELBACK_ASSERT(sizeof(((struct point *)0)->y) == 8, "struct point: the cdef makes 'y' 8 bytes large, the compiler does not: correct the declaration, or end it with '...;'");


KEELBACK_SHARED KEELBACK_COLD void keelback_answer(void)
{
}

/* ---- The functions that run Python ---- */

KEELBACK_C KEELBACK_EXPORT double score(double arg0);
KEELBACK_C KEELBACK_EXPORT int weigh(const struct point *arg0, const char *arg1, keelback_bool_t arg2, int arg3);
KEELBACK_C KEELBACK_EXPORT void tick(void *arg0);
KEELBACK_C KEELBACK_EXPORT int plain(int arg0);
KEELBACK_C KEELBACK_EXPORT void score_n(size_t arg0, const double *arg1, double *arg2);
KEELBACK_C KEELBACK_EXPORT void weigh_n(size_t arg0, const struct point *arg1, const char *const *arg2, const keelback_bool_t *arg3, const int *arg4, int *arg5);
KEELBACK_C KEELBACK_EXPORT void tick_n(size_t arg0, void *const *arg1);


static keelback_function_t keelback_functions[] = {
    {"score", (void (*)(void))score, NULL, sizeof(double), 0, 0, NULL},
    {"weigh", (void (*)(void))weigh, NULL, sizeof(int), 0, 0, NULL},
    {"tick", (void (*)(void))tick, NULL, 0, 0, 0, NULL},
    {"plain", (void (*)(void))plain, NULL, sizeof(int), 0, 0, NULL},
    {"score_n", (void (*)(void))score_n, NULL, sizeof(double), 1, 2, NULL},
    {"weigh_n", (void (*)(void))weigh_n, NULL, sizeof(int), 2, 5, NULL},
    {"tick_n", (void (*)(void))tick_n, NULL, 0, 3, 2, NULL},
};

static keelback_plugin_t keelback_plugin = {
    KEELBACK_ABI_VERSION,
    0,
    "0.1.0",
    "batches",
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

KEELBACK_EXPORT double score(double arg0)
{
    union {
        keelback_slot_t slots[1];
        double result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    keelback_call(&keelback_functions[0], &frame);
    return frame.result;
}

KEELBACK_EXPORT int weigh(const struct point *arg0, const char *arg1, keelback_bool_t arg2, int arg3)
{
    union {
        keelback_slot_t slots[2];
        int result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    __builtin_memcpy((char *)&frame + 16, &arg2, sizeof arg2);
    __builtin_memcpy((char *)&frame + 24, &arg3, sizeof arg3);
    keelback_call(&keelback_functions[1], &frame);
    return frame.result;
}

KEELBACK_EXPORT void tick(void *arg0)
{
    union {
        keelback_slot_t slots[1];
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    keelback_call(&keelback_functions[2], &frame);
}

KEELBACK_EXPORT int plain(int arg0)
{
    union {
        keelback_slot_t slots[1];
        int result;
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    keelback_call(&keelback_functions[3], &frame);
    return frame.result;
}

KEELBACK_EXPORT void score_n(size_t arg0, const double *arg1, double *arg2)
{
    union {
        keelback_slot_t slots[2];
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    __builtin_memcpy((char *)&frame + 16, &arg2, sizeof arg2);
    keelback_call(&keelback_functions[4], &frame);
}

KEELBACK_EXPORT void weigh_n(size_t arg0, const struct point *arg1, const char *const *arg2, const keelback_bool_t *arg3, const int *arg4, int *arg5)
{
    union {
        keelback_slot_t slots[3];
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    __builtin_memcpy((char *)&frame + 16, &arg2, sizeof arg2);
    __builtin_memcpy((char *)&frame + 24, &arg3, sizeof arg3);
    __builtin_memcpy((char *)&frame + 32, &arg4, sizeof arg4);
    __builtin_memcpy((char *)&frame + 40, &arg5, sizeof arg5);
    keelback_call(&keelback_functions[5], &frame);
}

KEELBACK_EXPORT void tick_n(size_t arg0, void *const *arg1)
{
    union {
        keelback_slot_t slots[1];
    } frame;
    __builtin_memcpy((char *)&frame, &arg0, sizeof arg0);
    __builtin_memcpy((char *)&frame + 8, &arg1, sizeof arg1);
    keelback_call(&keelback_functions[6], &frame);
}

/* ---- The plugin's own functions ---- */

KEELBACK_C KEELBACK_EXPORT int batches_start(void);
KEELBACK_C KEELBACK_EXPORT const char *batches_last_error(void);
KEELBACK_C KEELBACK_EXPORT void batches_set_error_handler(keelback_error_handler_t handler, void *data);
KEELBACK_C KEELBACK_EXPORT int batches_enter(void);
KEELBACK_C KEELBACK_EXPORT void batches_leave(void);

KEELBACK_EXPORT int batches_start(void)
{
    return keelback_start_now(NULL);
}

KEELBACK_EXPORT const char *batches_last_error(void)
{
    return keelback_last_failure();
}

KEELBACK_EXPORT void batches_set_error_handler(keelback_error_handler_t handler, void *data)
{
    keelback_handle_errors(handler, data);
}

KEELBACK_EXPORT int batches_enter(void)
{
    return keelback_enter_scope();
}

KEELBACK_EXPORT void batches_leave(void)
{
    keelback_leave_scope("batches");
}

/* `import batches` finds the plugin under a name that Python looks for. */
KEELBACK_C KEELBACK_EXPORT void *PyInit_batches(void);
KEELBACK_EXPORT void *PyInit_batches(void)
{
    return keelback_import();
}
